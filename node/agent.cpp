// agent: from the broker's words to the runner, and from its effects to the world.
#include "node/agent.hpp"

#include <cstdlib>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/os/supervised.hpp"
#include "common/protocol/watch.hpp"

namespace muster::node {

Agent::Agent(net::Reactor& reactor, zmq::context_t& context, const Options& options,
             Journal& journal)
    : reactor_(reactor),
      options_(options),
      journal_(journal),
      check_runs_(reactor, environment({}), std::hash<std::string>{}(journal.identity().id),
                  [this](auto findings) { tell(std::move(findings)); }) {
  Result<Definitions> definitions = read_definitions(options.definitions);
  if (!definitions) throw Failure(definitions.error().message);
  definitions_ = std::move(*definitions);
  for (const std::string& note : definitions_.notes) spdlog::warn("{}", note);
  define_checks();
  runner_.remember(journal.take_facts());
  journal.rewrite(runner_.facts());
  auto client = net::Client::open(reactor, context,
                                  {.broker = options.broker,
                                   .kind = "node",
                                   .name = options.name,
                                   .instance = journal.identity().id,
                                   .history = journal.identity().history,
                                   .epoch = journal.identity().epoch,
                                   .pings = net::Pings::always});
  if (!client) throw Failure(client.error().message);
  client_ = std::move(*client);
  serve();
  client_->on_hello([this](const proto::session::Welcome& welcome) { welcomed(welcome); });
  subscription_.emplace(*client_);
  subscription_->add(proto::watch::topic("node:", options.name), {},
                     {.changes = [](const auto&) {}, .reset = [](const auto&) {}});
  watches_.emplace(*client_, options.name);
}

Agent::~Agent() {
  for (const net::TimerId timer : {timer_, enrol_timer_, drop_timer_}) reactor_.cancel(timer);
}

void Agent::welcomed(const proto::session::Welcome& welcome) {
  runner_.disconnected();
  try {
    journal_.saw(welcome.history, welcome.epoch);
  } catch (const Failure& failure) {
    spdlog::error("identity: {}", failure.what());  // no reason to end what runs here
  }
  enrol();
}

/// What an older leader of the same history still says does not count.
Result<Done> Agent::current(const std::string& history, Epoch epoch) const {
  if (history == journal_.identity().history && epoch < journal_.identity().epoch) {
    return Error{Code::conflict, fmt::format("epoch {} has passed, {} was seen", epoch.value,
                                             journal_.identity().epoch.value)};
  }
  return Done{};
}

void Agent::serve() {
  client_->on_request<proto::exec::Launch>(
      [this](const proto::Header&, const proto::exec::Launch& launch) -> Result<proto::Empty> {
        if (const auto now = current(launch.history, launch.epoch); !now) return now.error();
        Result<proto::Empty> answer = runner_.launch(launch, BootClock::now());
        spdlog::info("launch job={} author={} {}", launch.job, launch.author,
                     answer ? "accepted" : answer.error().message);
        perform();
        return answer;
      });
  client_->on_request<proto::exec::Stop>(
      [this](const proto::Header&, const proto::exec::Stop& stop) -> Result<proto::Empty> {
        if (const auto now = current(stop.history, stop.epoch); !now) return now.error();
        spdlog::info("stop job={}", stop.job);
        Result<proto::Empty> answer = runner_.stop(stop.job);
        perform();
        return answer;
      });
  client_->on_request<proto::exec::Credit>(
      [this](const proto::Header&, const proto::exec::Credit& credit) -> Result<proto::Empty> {
        runner_.credit(credit, BootClock::now());
        perform();
        return proto::Empty{};
      });
  client_->on_request<proto::catalog::Take>(
      [this](const proto::Header&, const proto::catalog::Take& take) -> Result<proto::Empty> {
        api_checks_ = take.checks;
        define_checks();
        return proto::Empty{};
      });
  client_->on_request<proto::catalog::ReadAgain>(
      [this](const proto::Header&,
             const proto::catalog::ReadAgain&) -> Result<proto::catalog::Reloaded> {
        return reload();
      });
  client_->on_request<proto::catalog::Superseded>(
      [this](const proto::Header&, const proto::catalog::Superseded&) -> Result<proto::Empty> {
        failed_ = Error{
            Code::conflict,
            fmt::format("another muster-node with the id of {} has taken its place", options_.name),
            "is its data folder a copy?"};
        return proto::Empty{};
      });
}

void Agent::enrol() {
  reactor_.cancel(enrol_timer_);
  client_->request<proto::catalog::Register>(
      {.node = {.name = options_.name,
                .id = journal_.identity().id,
                .address = options_.address,
                .tags = options_.tags,
                .meta = options_.meta,
                .version = MUSTER_VERSION,
                .problem = problem_,
                .services = definitions_.services,
                .checks = definitions_.checks},
       .tasks = runner_.known()},
      {.timeout = std::nullopt},
      [this, of = version_](const Result<proto::catalog::Registered>& answer) {
        if (answer) enrolled(*answer, of);
        else not_enrolled(answer.error(), of);
      });
}

/// `of`: the definitions that were told, which may have been read again since.
void Agent::enrolled(const proto::catalog::Registered& answer, std::uint64_t of) {
  spdlog::info("registered node={} generation={} services={} checks={}", options_.name,
               answer.attach_gen, definitions_.services.size(),
               definitions_.checks.size() + answer.checks.size());
  api_checks_ = answer.checks;
  if (of == version_) accepted_.reset();
  define_checks();
  check_runs_.registered();
  runner_.registered();
  perform();
  if (!registered_) watches_->define(definitions_.watches);
  if (!registered_ && ready_) ready_();
  registered_ = true;
}

/// Before the first success a refusal is the operator's to solve; later the daemon has commands to
/// look after, and a broker that is busy or has no room takes it another time.
void Agent::not_enrolled(const Error& error, std::uint64_t of) {
  const bool for_good = error.code == Code::invalid || error.code == Code::denied ||
                        error.code == Code::version || error.code == Code::too_large;
  if (error.code == Code::conflict || (for_good && !registered_)) {
    failed_ = error;
    return;
  }
  spdlog::error("register: {}", error.message);
  if (for_good && accepted_ && of == version_) return go_back(error);
  enrol_timer_ = reactor_.after(limits::report_again, [this] {
    if (client_->reached()) enrol();  // else the next welcome does
  });
}

/// What was read keeps all rules that files are looked at for, and the broker has one more reason:
/// what is defined over its API counts, too.
void Agent::go_back(const Error& error) {
  problem_ = error.message;
  definitions_ = *std::exchange(accepted_, std::nullopt);
  ++version_;
  spdlog::error("the definitions before the reload are in force again");
  define_checks();
  watches_->define(definitions_.watches);
  enrol();
}

proto::catalog::Reloaded Agent::reload() {
  Result<Definitions> definitions = read_definitions(options_.definitions);
  if (definitions) {
    if (registered_ && !accepted_) accepted_ = std::move(definitions_);
    definitions_ = std::move(*definitions);
    ++version_;
    problem_.clear();
    for (const std::string& note : definitions_.notes) spdlog::warn("{}", note);
    spdlog::info("reloaded services={} checks={} watches={}", definitions_.services.size(),
                 definitions_.checks.size(), definitions_.watches.size());
    define_checks();
    if (registered_) watches_->define(definitions_.watches);
  } else {
    problem_ = definitions.error().message;
    spdlog::error("reload: {}; what was defined stays", problem_);
  }
  if (client_->reached()) enrol();
  return {.services = definitions_.services.size(),
          .checks = definitions_.checks.size(),
          .watches = definitions_.watches.size(),
          .problem = problem_};
}

void Agent::define_checks() {
  std::vector<proto::health::Check> checks = definitions_.checks;
  checks.insert(checks.end(), api_checks_.begin(), api_checks_.end());
  check_runs_.define(checks);
}

/// What a broker does not take now it is told with the next registration.
void Agent::tell(std::vector<proto::health::Finding> findings) {
  client_->request<proto::health::Report>(
      {.findings = std::move(findings)}, {.timeout = std::nullopt},
      [](const Result<proto::Empty>& answer) {
        if (!answer) spdlog::warn("health.report: {}", answer.error().message);
      });
}

void Agent::stop() {
  watches_->define({});  // a handler that is ended so runs again when the daemon is back
  check_runs_.stop();
  runner_.stop_all();
  perform();
}

// --- effects ---

void Agent::perform() {
  if (performing_) return;  // what an effect adds is done by the loop that runs
  performing_ = true;
  for (std::vector<Effect> effects = runner_.take(); !effects.empty(); effects = runner_.take()) {
    for (Effect& effect : effects) std::visit([this](auto& what) { perform(what); }, effect);
  }
  performing_ = false;
  arm();
}

void Agent::perform(Note& effect) {
  const Fact& fact = effect.fact;
  const Result<Done> remembered = remember(fact);
  if (!remembered) spdlog::error("journal job={}: {}", fact.job, remembered.error().message);
  if (fact.what != Fact::What::accepted) return;
  if (remembered) runner_.noted(fact.job);
  else runner_.not_started(fact.job, remembered.error().message);
}

Result<Done> Agent::remember(const Fact& fact) {
  if (!journal_.overgrown()) return journal_.note(fact);
  try {
    journal_.rewrite(runner_.facts());  // this one is among them
  } catch (const Failure& failure) {
    return Error{Code::unavailable, failure.what()};
  }
  return Done{};
}

void Agent::perform(Fork& effect) {
  const std::string& job = effect.launch.job;
  auto process =
      Process::start(reactor_, effect.launch, environment({{"MUSTER_JOB", job}}), events_of(job));
  if (!process) runner_.not_started(job, process.error().message);
  else processes_[job] = std::move(*process);
}

Process::Events Agent::events_of(const std::string& job) {
  const auto tell = [this](auto&& what) {
    what();
    perform();
  };
  return {.started = [=, this] { tell([&] { runner_.started(job); }); },
          .refused =
              [=, this](const std::string& why) { tell([&] { runner_.not_started(job, why); }); },
          .output =
              [=, this](std::uint64_t stream, std::string_view bytes) {
                tell([&] { runner_.output({job, stream}, bytes); });
              },
          .ended_stream =
              [=, this](std::uint64_t stream) {
                tell([&] { runner_.ended_stream({job, stream}); });
              },
          .exited =
              [=, this](const Ending& ending) {
                tell([&] { runner_.exited(job, ending, BootClock::now()); });
              }};
}

std::vector<std::string> Agent::environment(
    std::vector<std::pair<std::string, std::string>> names) const {
  const char* path = std::getenv("PATH");
  names.emplace_back("MUSTER_BROKER", options_.broker);
  names.emplace_back("MUSTER_NODE", options_.name);
  names.emplace_back(
      "PATH", fmt::format("{}:{}", path == nullptr ? "/usr/bin:/bin" : path, os::program_folder()));
  return os::environment_with(names);
}

void Agent::perform(Allow& effect) {
  if (const auto process = processes_.find(effect.job); process != processes_.end())
    process->second->allow(effect.stream, effect.bytes);
}

void Agent::perform(End& effect) {
  if (const auto process = processes_.find(effect.job); process != processes_.end())
    process->second->end();
}

void Agent::perform(Drop& effect) {
  const auto process = processes_.find(effect.job);
  if (process == processes_.end()) return;
  dropped_.push_back(std::move(process->second));
  processes_.erase(process);
  reactor_.cancel(drop_timer_);
  drop_timer_ = reactor_.after(Duration(0), [this] { dropped_.clear(); });
}

void Agent::perform(Say& effect) {
  std::visit([this](const auto& what) { say(what); }, effect.what);
}

void Agent::say(const proto::exec::Started& started) {
  client_->request<proto::exec::Started>(started, {}, [](const auto&) {});
}

void Agent::say(const proto::exec::Output& output) {
  client_->request<proto::exec::Output>(
      output, {.timeout = std::nullopt},
      [this, stream = StreamId{output.job, output.stream},
       offset = output.offset](const Result<proto::Empty>& answer) {
        if (answer) runner_.taken(stream);
        else runner_.missed(stream, offset, BootClock::now());
        perform();
      });
}

void Agent::say(const proto::exec::Exited& exited) {
  client_->request<proto::exec::Exited>(
      exited, {.timeout = std::nullopt},
      [this, job = exited.job](const Result<proto::Empty>& answer) {
        if (answer) runner_.reported(job);
        else runner_.not_reported(job, BootClock::now());
        perform();
      });
}

void Agent::arm() {
  reactor_.cancel(timer_);
  const auto due = runner_.next_due();
  if (!due) return;
  timer_ = reactor_.at(*due, [this] {
    runner_.tick(BootClock::now());
    perform();
  });
}

}  // namespace muster::node
