// muster-probe: one look at a service over HTTP or TCP, told as Nagios plugins do.
//
//   exit 0 passing    2xx; the TCP connection was made
//   exit 1 warning    429, too many requests
//   exit 2 critical   everything else
//   exit 64           bad options
//
// A health check or a handler with a URL is a run of this program, the only one that links libcurl,
// so that the daemon stays small. It asks the service itself: proxies of the environment do not
// count.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <curl/curl.h>
#include <fmt/format.h>

namespace {

constexpr int passing = 0;
constexpr int warning = 1;
constexpr int critical = 2;
constexpr int exit_usage = 64;

constexpr std::size_t output_bytes_max = 4096;  // of a body, in what is printed
constexpr std::size_t payload_bytes_max = std::size_t{8} * 1024 * 1024;
constexpr long redirects_max = 10;

struct Options {
  std::string http;
  std::string tcp;
  std::string method;
  std::vector<std::string> headers;
  std::string body;
  std::string post_file;
  double timeout_s = 10;
  bool skip_verify = false;
  bool quiet = false;
};

struct Verdict {
  int status = critical;
  std::string output;
};

struct EndHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct EndList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, EndHandle>;
using List = std::unique_ptr<curl_slist, EndList>;

/// Keeps the first of what comes; the rest is read and dropped.
std::size_t keep(char* bytes, std::size_t, std::size_t count, void* into) {
  auto& body = *static_cast<std::string*>(into);
  body.append(bytes, std::min(count, output_bytes_max - body.size()));
  return count;
}

List headers_of(const Options& options) {
  List list;
  // libcurl would call any body a form.
  const auto is_type = [](std::string header) {
    std::transform(header.begin(), header.end(), header.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return header.starts_with("content-type:");
  };
  if (std::none_of(options.headers.begin(), options.headers.end(), is_type))
    list.reset(curl_slist_append(list.release(), "Content-Type:"));
  for (const std::string& header : options.headers)
    list.reset(curl_slist_append(list.release(), header.c_str()));
  return list;
}

std::string payload_of(const std::string& file) {
  std::ifstream opened;
  if (file != "-") opened.open(file, std::ios::binary);
  std::istream& stream = file == "-" ? std::cin : opened;
  std::string payload(payload_bytes_max + 1, '\0');
  stream.read(payload.data(), static_cast<std::streamsize>(payload.size()));
  if (stream.bad() || (file != "-" && !opened.is_open()))
    throw CLI::ValidationError("--post-file", "cannot read " + file);
  payload.resize(static_cast<std::size_t>(stream.gcount()));
  if (payload.size() > payload_bytes_max) {
    throw CLI::ValidationError(
        "--post-file", fmt::format("has over {} bytes, which is the most", payload_bytes_max));
  }
  return payload;
}

void set_common(CURL* handle, const Options& options, char* error) {
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout_s * 1000));
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
}

std::string reason(CURLcode code, const char* error) {
  return *error != '\0' ? error : curl_easy_strerror(code);
}

Verdict look_over_tcp(const Options& options) {
  const Handle handle(curl_easy_init());
  char error[CURL_ERROR_SIZE] = "";
  set_common(handle.get(), options, error);
  curl_easy_setopt(handle.get(), CURLOPT_URL, ("http://" + options.tcp).c_str());
  curl_easy_setopt(handle.get(), CURLOPT_CONNECT_ONLY, 1L);
  const CURLcode code = curl_easy_perform(handle.get());
  if (code == CURLE_OK) return {passing, fmt::format("TCP connect {}: Success", options.tcp)};
  return {critical, fmt::format("TCP connect {}: {}", options.tcp, reason(code, error))};
}

int status_of(long code) {
  if (code >= 200 && code < 300) return passing;
  return code == 429 ? warning : critical;
}

Verdict look_over_http(const Options& options) {
  const std::string payload =
      options.post_file.empty() ? options.body : payload_of(options.post_file);
  const std::string method = !options.method.empty()      ? options.method
                             : !options.post_file.empty() ? "POST"
                                                          : "GET";
  const Handle handle(curl_easy_init());
  const List headers = headers_of(options);
  char error[CURL_ERROR_SIZE] = "";
  std::string body;
  set_common(handle.get(), options, error);
  curl_easy_setopt(handle.get(), CURLOPT_URL, options.http.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_USERAGENT, "muster-probe/" MUSTER_VERSION);
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_MAXREDIRS, redirects_max);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &keep);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &body);
  if (options.skip_verify) {
    curl_easy_setopt(handle.get(), CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(handle.get(), CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!payload.empty() || !options.post_file.empty()) {
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(payload.size()));
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, payload.data());
  }
  if (method == "HEAD") curl_easy_setopt(handle.get(), CURLOPT_NOBODY, 1L);
  else curl_easy_setopt(handle.get(), CURLOPT_CUSTOMREQUEST, method.c_str());
  const CURLcode code = curl_easy_perform(handle.get());
  if (code != CURLE_OK)
    return {critical, fmt::format("HTTP {} {}: {}", method, options.http, reason(code, error))};
  long answer = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &answer);
  return {status_of(answer),
          fmt::format("HTTP {} {}: {} Output: {}", method, options.http, answer, body)};
}

/// Empty: it is HOST:PORT, where an IPv6 address stands in brackets.
std::string wrong_place(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::string host = text.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (!host.empty() && host.find_first_of("/@?# ") == std::string::npos &&
      (brackets || host.find(':') == std::string::npos) && error == std::errc() &&
      end == port.data() + port.size() && number >= 1 && number <= 65535)
    return {};
  return "wants HOST:PORT, not " + text;
}

void add_options(CLI::App& app, Options& options) {
  auto* http = app.add_option("--http", options.http, "look at this URL");
  auto* tcp = app.add_option("--tcp", options.tcp, "look whether HOST:PORT can be connected to")
                  ->check(CLI::Validator(wrong_place, "HOST:PORT"));
  http->excludes(tcp);
  app.add_option("--timeout", options.timeout_s, "give up after so long: 10s, 500ms, 1m (10s)")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, double>{{"ms", 0.001}, {"s", 1}, {"m", 60}}))
      ->check(CLI::Range(0.001, 3600.0));
  app.add_option("--method", options.method, "of HTTP (GET; POST with --post-file)")->needs(http);
  app.add_option("--header", options.headers, "NAME: VALUE; may be repeated")
      ->allow_extra_args(false)
      ->needs(http);
  app.add_option("--body", options.body, "a text to send, whatever the method")->needs(http);
  app.add_option("--post-file", options.post_file, "a file to send; - is stdin")->needs(http);
  app.add_flag("--skip-verify", options.skip_verify, "take any TLS certificate")->needs(http);
  app.add_flag("--quiet", options.quiet, "say nothing of what is passing");
  app.footer(fmt::format(
      "Exit codes: 0 passing (2xx; connected), 1 warning (429), 2 critical (all else, no answer in\n"
      "time included), 64 bad options. Of a body the first {} bytes are printed; {} redirects are\n"
      "followed; proxies of the environment are not used.",
      output_bytes_max, redirects_max));
  app.set_version_flag("--version", std::string("muster-probe ") + MUSTER_VERSION);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("muster-probe: one look at a service over HTTP or TCP");
  add_options(app, options);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  try {
    app.parse(argc, argv);
    if (options.http.empty() && options.tcp.empty()) throw CLI::RequiredError("--http or --tcp");
    const Verdict verdict = options.tcp.empty() ? look_over_http(options) : look_over_tcp(options);
    if (options.quiet && verdict.status == passing) return passing;
    std::fwrite(verdict.output.data(), 1, verdict.output.size(), stdout);  // NULs too
    std::putchar('\n');
    return verdict.status;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::fprintf(stderr, "muster-probe: %s; see muster-probe --help\n", error.what());
    return exit_usage;
  }
}
