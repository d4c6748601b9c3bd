// watch: one of the definitions': a Driver, and the process of its handler.
//
//   waiting -- call ------------> filtering   of an event with filters: is this node meant?
//   waiting -- call ------------> running     a script, or muster-probe with a POST
//   running -- processes gone --> waiting     the Driver hears how it ended
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/definitions/watch.hpp"
#include "common/handle/surroundings.hpp"
#include "common/protocol/event.hpp"

namespace muster::node {

class Watch {
 public:
  Watch(net::Client& client, std::string node, WatchDefinition definition);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  const WatchDefinition& definition() const { return definition_; }
  void begin() { driver_.begin(); }

 private:
  handle::Order order() const;
  handle::Driver::Events events();
  void take(const handle::Call& call, std::string input);
  void filter(std::size_t next);
  void ask_whether_meant(const proto::event::Event& event, std::size_t next);
  void run(const handle::Call& call, std::string input);
  std::vector<std::string> command(const handle::Call& call) const;
  void on_gone(const ChildEnd& end);

  net::Client& client_;
  const std::string node_;
  const WatchDefinition definition_;
  handle::Driver driver_;
  std::unique_ptr<Child> handler_;
  handle::Call call_;  ///< of an event, that is being filtered
  RequestNo asked_;
  net::TimerId timer_;
};

}  // namespace muster::node
