// probe: muster-probe against a server of a few lines.
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include "test/node/program.hpp"
#include "test/support/catch.hpp"
#include "test/support/temporary.hpp"

namespace muster::node {
namespace {

/// Takes one connection at a time, hears one request, gives one answer, as set.
class Server {
 public:
  explicit Server(net::Reactor& reactor) : reactor_(reactor) {
    listener_ = os::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{.sin_family = AF_INET,
                        .sin_port = 0,
                        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
                        .sin_zero = {}};
    socklen_t length = sizeof(address);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener_.get(), any, length) == 0);
    REQUIRE(::listen(listener_.get(), 8) == 0);
    REQUIRE(::getsockname(listener_.get(), any, &length) == 0);
    place = fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
    source_ = reactor_.watch(listener_.get(), net::Interest::readable, [this] { accept(); });
  }
  ~Server() {
    reactor_.forget(source_);
    if (connection_) reactor_.forget(request_source_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string place;
  std::string answer;  ///< empty: never
  std::string ends_with = "\r\n\r\n";
  std::string request;

 private:
  void accept() {
    if (connection_) reactor_.forget(request_source_);
    connection_ = os::Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    request.clear();
    request_source_ =
        reactor_.watch(connection_.get(), net::Interest::readable, [this] { hear(); });
  }
  void hear() {
    char piece[4096];
    const ssize_t got = ::read(connection_.get(), piece, sizeof(piece));
    if (got > 0) request.append(piece, static_cast<std::size_t>(got));
    if (got > 0 && (answer.empty() || !request.ends_with(ends_with))) return;
    if (got > 0) ::send(connection_.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    reactor_.forget(request_source_);
    connection_.reset();
  }

  net::Reactor& reactor_;
  os::Fd listener_;
  os::Fd connection_;
  net::SourceId source_;
  net::SourceId request_source_;
};

std::string page(int status, const std::string& body) {
  return fmt::format("HTTP/1.1 {} Any\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
}

struct Look {
  net::Reactor reactor;
  Server server{reactor};
  std::string said;

  int operator()(std::vector<std::string> options) {
    options.insert(options.begin(), "muster-probe");
    Program program(reactor, std::move(options));
    const int code = program.code();
    said = program.out + program.err;
    return code;
  }
  std::string url() const { return "http://" + server.place + "/health"; }
};

}  // namespace

TEST_CASE("probe: 2xx is passing, 429 warning, all else critical", "[node]") {
  Look look;
  for (const auto& [status, code] :
       std::map<int, int>{{200, 0}, {204, 0}, {429, 1}, {404, 2}, {500, 2}}) {
    look.server.answer = page(status, status == 204 ? "" : "body");
    CHECK(look({"--http", look.url()}) == code);
    CHECK(look.said == fmt::format("HTTP GET {}: {} Output: {}\n", look.url(), status,
                                   status == 204 ? "" : "body"));
  }
}

TEST_CASE("probe: of a long body the beginning is told", "[node]") {
  Look look;
  look.server.answer = page(200, std::string(100'000, 'x'));
  CHECK(look({"--http", look.url()}) == 0);
  CHECK(look.said.ends_with(" Output: " + std::string(4096, 'x') + "\n"));
}

TEST_CASE("probe: method, headers and a payload are sent", "[node]") {
  Look look;
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() + "/payload") << "the payload";
  look.server.answer = page(200, "");
  look.server.ends_with = "the payload";
  CHECK(look({"--http", look.url(), "--method", "PUT", "--header", "X-One: 1", "--header",
              "X-Two: 2", "--post-file", folder.path() + "/payload"}) == 0);
  CHECK(look.server.request.starts_with("PUT /health HTTP/1.1\r\n"));
  CHECK(look.server.request.find("\r\nX-One: 1\r\nX-Two: 2\r\n") != std::string::npos);
  CHECK(look({"--http", look.url(), "--post-file", folder.path() + "/payload"}) == 0);
  CHECK(look.server.request.starts_with("POST /health HTTP/1.1\r\n"));
}

TEST_CASE("probe: who does not answer in time is critical", "[node]") {
  Look look;
  CHECK(look({"--http", look.url(), "--timeout", "200ms"}) == 2);
  CHECK(look.said.starts_with("HTTP GET " + look.url() + ": Operation timed out after 2"));
}

TEST_CASE("probe: TCP: a connection is enough, none is critical", "[node]") {
  Look look;
  CHECK(look({"--tcp", look.server.place}) == 0);
  CHECK(look.said == "TCP connect " + look.server.place + ": Success\n");
  CHECK(look({"--tcp", "127.0.0.1:1"}) == 2);
  CHECK(look.said.starts_with("TCP connect 127.0.0.1:1: Failed to connect"));
}

TEST_CASE("probe: bad options are one line", "[node]") {
  Look look;
  CHECK(look({}) == 64);
  CHECK(look.said == "muster-probe: --http or --tcp is required; see muster-probe --help\n");
  CHECK(look({"--tcp", "a:1", "--timeout", "soon"}) == 64);
  CHECK(look({"--http", "http://x", "--tcp", "a:1"}) == 64);
  for (const char* place : {"a", "a:", ":1", "a:0", "a:65536", "a:1/x", "::1:80", "u@a:1"}) {
    CHECK(look({"--tcp", place}) == 64);
    CHECK(look.said.find(fmt::format("wants HOST:PORT, not {};", place)) != std::string::npos);
  }
  CHECK(look({"--http", "http://127.0.0.1:1", "--post-file", "/"}) == 64);
  CHECK(look.said == "muster-probe: --post-file: cannot read /; see muster-probe --help\n");
  CHECK(look({"--http", "file:///etc/passwd"}) == 2);
  CHECK(look.said.find("root") == std::string::npos);
}

}  // namespace muster::node
