// kv_put: write a value, with all that Consul's put can say, and a time to live.
#include <fmt/format.h>

#include "cli/kv.hpp"
#include "cli/payload.hpp"
#include "cli/print.hpp"

namespace muster::cli {
namespace {

constexpr Command::Text put_text = {
    .name = "kv put",
    .arguments = "[options] KEY [VALUE]",
    .about =
        "Writes a value. VALUE is the text itself, `-` (stdin to its end) or `@FILE`; none: an "
        "empty value.\n"
        "Writing what is there already, flags and TTL included, is no change: no watch fires, and a TTL\n"
        "begins anew. A put says all of a key: without -ttl it does not expire any more.\n\n"
        "With -session the key is deleted when that session ends. With -acquire or -release the session\n"
        "becomes its owner, or ends that, as in Consul: others are told, not kept from writing. For work\n"
        "that only one may do at a time there is `muster lock`.",
    .examples =
        "  muster kv put config/colour green\n"
        "  muster kv put -flags=42 config/colour green\n"
        "  muster kv put config/motd @/etc/motd\n"
        "  muster kv put -ttl=30s alive/$(hostname) yes\n"
        "  muster kv put -cas -modify-index=0 leader $(hostname)     only if there is none\n"
        "  muster kv put -acquire -session=$(muster session open) leader $(hostname)\n"};

struct PutOptions {
  proto::kv::Put request;
  std::string session;
  std::uint64_t index = 0;
  Duration ttl{0};
  bool compare = false;
  bool base64 = false;
  bool acquire = false;
  bool release = false;
};

void declare(Command& command, PutOptions& options) {
  command.timeout();
  command.flag("cas", options.compare,
               "write only if the key's revision is -modify-index (0: only if there is no key)");
  command.number("modify-index", options.index, "see -cas", "REVISION");
  command.number("flags", options.request.flags, "a number kept with the key; 0 when not given");
  command.flag("base64", options.base64, "VALUE is base64: decode it first");
  command.duration("ttl", options.ttl, "delete the key after this time");
  command.flag("acquire", options.acquire, "make -session the key's owner, unless it has another");
  command.flag("release", options.release, "end that; the value is written, too");
  command.text("session", options.session,
               "the session for -acquire or -release; alone: the key ends with it", "ID");
}

/// What is wrong, in Consul's words where it has some.
std::optional<Exit> wrong(const Command& command, const PutOptions& options) {
  if (options.compare && !command.given("modify-index"))
    return command.misuse_as_consul("Must specify -modify-index with -cas!");
  if (options.acquire && options.release)
    return command.misuse("Cannot specify both -acquire and -release!");
  if ((options.acquire || options.release) && options.session.empty())
    return command.misuse_as_consul(
        "Error! Missing -session (required with -acquire and -release)");
  if (command.given("session") && options.session.empty())
    return command.misuse("-session is empty: did the command that opens it fail?");
  if (command.given("ttl") && options.ttl < milliseconds(1))
    return command.misuse("-ttl is 1ms or longer");
  return check_arguments(command, 1, 2, "KEY");
}

Result<std::string> value_of(const Command& command, bool base64) {
  Result<std::string> value =
      read_payload(argument_or_nothing(command, 1), limits::value_bytes_ceiling * (base64 ? 2 : 1));
  if (!value || !base64) return value;
  Result<std::string> decoded = from_base64(*value);
  if (decoded) return decoded;
  return Error{Code::invalid,
               fmt::format("Cannot base 64 decode data: {}", decoded.error().message)};
}

void fill(proto::kv::Put& request, const Command& command, const PutOptions& options) {
  request.key = command.arguments()[0];
  if (options.compare) request.compare_rev = Revision{options.index};
  request.ttl_ms =
      static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(options.ttl).count());
  if (options.acquire) request.acquire = options.session;
  else if (options.release) request.release = options.session;
  else request.ends_with = options.session;
}

Exit refused(const Inquiry& broker, const PutOptions& options, const Error& error) {
  if (error.code != Code::conflict) return broker.report("Error! Failed writing data: ", error);
  if (options.compare)
    complain(fmt::format("Error! Did not write to {}: CAS failed", options.request.key));
  else if (options.acquire) complain("Error! Did not acquire lock");
  else complain("Error! Did not release lock");
  return Exit::conflict;
}

}  // namespace

Exit kv_put(Arguments words) {
  Command command(put_text);
  PutOptions options;
  declare(command, options);
  if (const auto exit = command.parse(words)) return *exit;
  if (const auto exit = wrong(command, options)) return *exit;
  Result<std::string> value = value_of(command, options.base64);
  if (!value) {
    complain(fmt::format("Error! {}", value.error().message));
    return Exit::failed;
  }
  fill(options.request, command, options);
  options.request.value = Bytes(*std::move(value));
  Inquiry broker(command.surroundings());
  const auto written = broker.ask(options.request);
  if (!written) return refused(broker, options, written.error());
  const std::string_view done = options.acquire   ? "Lock acquired on"
                                : options.release ? "Lock released on"
                                                  : "Data written to";
  print_line(fmt::format("Success! {}: {}", done, options.request.key));
  return Exit::ok;
}

}  // namespace muster::cli
