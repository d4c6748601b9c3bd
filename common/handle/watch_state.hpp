// watch_state: what is watched, as Consul's JSON: as it is now, or as a change tells it.
#pragma once

#include <functional>

#include "common/consul/json.hpp"
#include "common/handle/subject.hpp"
#include "common/net/client.hpp"
#include "common/protocol/catalog.hpp"

namespace muster::handle {

struct PresentState {
  Json json;
  Revision upto;  ///< it holds every change up to here
};
using OnState = std::function<void(Result<PresentState>)>;

/// Of what a call of `each` tells: the entry or null, the changed entries, the events. Errors:
/// invalid (bytes that are no such thing).
Result<Json> json_of(WatchType type, const Call& call);

class StateReader {
 public:
  /// The client must outlive it.
  StateReader(net::Client& client, Subject subject, net::RequestOptions options)
      : client_(client), subject_(std::move(subject)), options_(std::move(options)) {}
  ~StateReader() { client_.forget(asked_); }
  StateReader(const StateReader&) = delete;
  StateReader& operator=(const StateReader&) = delete;

  /// At that revision or later; of events those behind `after`. One at a time.
  struct From {
    Revision at_least;
    Revision after;
  };
  void read(From from, OnState done);

 private:
  /// Asks page by page; `take` gets each, `finish` makes what all of them say.
  template <class Request>
  void ask(Request request, Revision at_least, std::function<void(typename Request::Reply)> take,
           std::function<Json()> finish);
  void finished(Result<PresentState> state);
  void read_key(Revision at_least);
  void read_prefix(Revision at_least);
  void read_events(From from);
  void read_nodes(Revision at_least);
  void read_checks(Revision at_least);
  Json json_of_nodes() const;

  net::Client& client_;
  const Subject subject_;
  const net::RequestOptions options_;
  OnState done_;
  Json found_;
  std::vector<proto::catalog::Node> nodes_;
  Revision upto_;  ///< of the first page
  RequestNo asked_;
};

}  // namespace muster::handle
