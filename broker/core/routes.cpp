// routes: the table, on one screen.
#include "broker/core/routes.hpp"

#include <algorithm>
#include <array>

#include "broker/core/admin.hpp"
#include "broker/core/catalog.hpp"
#include "broker/core/cursor.hpp"
#include "broker/core/definitions.hpp"
#include "broker/core/event.hpp"
#include "broker/core/exec.hpp"
#include "broker/core/health.hpp"
#include "broker/core/kv.hpp"
#include "broker/core/lock.hpp"
#include "broker/core/past.hpp"
#include "broker/core/session.hpp"
#include "broker/core/snapshot.hpp"
#include "broker/core/trim.hpp"
#include "broker/core/txn.hpp"
#include "broker/core/watch.hpp"

namespace muster::core {
namespace {

template <class Request, auto handler>
consteval RouteEntry route(Right right, Kind kind) {
  return {Request::verb, right, kind, &handle<Request, handler>};
}

constexpr std::array routes = {
    route<proto::session::Hello, session::hello>(Right::none, Kind::reads),
    route<proto::session::Ping, session::ping>(Right::none, Kind::reads),
    route<proto::session::Open, session::open>(Right::session, Kind::writes),
    route<proto::session::Attach, session::attach>(Right::session, Kind::urgent),
    route<proto::session::Keepalive, session::keepalive>(Right::session, Kind::reads),
    route<proto::session::End, session::end>(Right::session, Kind::urgent),
    route<proto::session::Expire, session::expire>(Right::broker, Kind::urgent),
    route<proto::session::List, session::list>(Right::session, Kind::reads),
    route<proto::kv::Put, kv::put>(Right::kv_write, Kind::writes),
    route<proto::kv::Get, kv::get>(Right::kv_read, Kind::reads),
    route<proto::kv::Delete, kv::erase>(Right::kv_write, Kind::urgent),
    route<proto::kv::DeletePrefix, kv::erase_prefix>(Right::kv_write, Kind::urgent),
    route<proto::kv::List, kv::list>(Right::kv_read, Kind::reads),
    route<proto::kv::Txn, kv::txn>(Right::kv_write, Kind::writes),
    route<proto::kv::Log, past::log>(Right::kv_read, Kind::reads),
    route<proto::kv::Diff, past::diff>(Right::kv_read, Kind::reads),
    route<proto::kv::Revert, past::revert>(Right::kv_write, Kind::writes),
    route<proto::kv::Expire, kv::expire>(Right::broker, Kind::urgent),
    route<proto::kv::ForgetPast, trim::forget>(Right::broker, Kind::urgent),
    route<proto::lock::Acquire, lock::acquire>(Right::lock, Kind::writes),  // replies later
    route<proto::lock::Release, lock::release>(Right::lock, Kind::urgent),
    route<proto::lock::GiveUp, lock::give_up>(Right::broker, Kind::urgent),
    route<proto::lock::List, lock::list>(Right::lock, Kind::reads),
    route<proto::event::Send, event::send>(Right::event_send, Kind::writes),
    route<proto::event::List, event::list>(Right::watch, Kind::reads),
    route<proto::watch::Read, watch::read>(Right::watch, Kind::reads),
    route<proto::watch::Sync, watch::sync>(Right::watch, Kind::reads),
    route<proto::cursor::Open, cursor::open>(Right::watch, Kind::writes),
    route<proto::cursor::Advance, cursor::advance>(Right::watch, Kind::writes),
    route<proto::cursor::List, cursor::list>(Right::watch, Kind::reads),
    route<proto::cursor::Forget, cursor::forget>(Right::watch, Kind::urgent),
    route<proto::exec::Run, exec::run>(Right::exec, Kind::writes),  // replies later
    route<proto::exec::Credit, exec::credit>(Right::exec, Kind::reads),
    route<proto::exec::Cancel, exec::cancel>(Right::exec, Kind::urgent),
    route<proto::exec::Started, exec::started>(Right::node, Kind::reads),
    route<proto::exec::Output, exec::output>(Right::node, Kind::reads),
    route<proto::exec::Exited, exec::exited>(Right::node, Kind::urgent),
    route<proto::exec::List, exec::list>(Right::exec, Kind::reads),
    route<proto::catalog::Register, catalog::enrol>(Right::node, Kind::urgent),
    route<proto::catalog::Presence, catalog::presence>(Right::broker, Kind::urgent),
    route<proto::catalog::Nodes, catalog::nodes>(Right::catalog_read, Kind::reads),
    route<proto::catalog::Define, definitions::define>(Right::catalog_write, Kind::writes),
    route<proto::catalog::Undefine, definitions::undefine>(Right::catalog_write, Kind::urgent),
    route<proto::catalog::Reload, definitions::reload>(Right::catalog_write,
                                                       Kind::reads),  // replies later
    route<proto::catalog::Forget, definitions::forget>(Right::catalog_write, Kind::urgent),
    route<proto::health::Report, health::report>(Right::node, Kind::writes),
    route<proto::health::Update, health::update>(Right::catalog_write, Kind::writes),
    route<proto::health::Expire, health::expire>(Right::broker, Kind::urgent),
    route<proto::health::Abandon, health::abandon>(Right::broker, Kind::urgent),
    route<proto::health::Maintain, health::maintain>(Right::catalog_write, Kind::writes),
    route<proto::health::List, health::list>(Right::catalog_read, Kind::reads),
    // These reply later.
    route<proto::snapshot::Save, snapshot::save>(Right::admin, Kind::reads),
    route<proto::snapshot::Read, snapshot::read>(Right::admin, Kind::reads),
    route<proto::snapshot::Drop, snapshot::drop>(Right::admin, Kind::reads),
    route<proto::snapshot::Upload, snapshot::upload>(Right::admin, Kind::reads),
    route<proto::snapshot::Write, snapshot::write>(Right::admin, Kind::reads),
    route<proto::snapshot::Restore, snapshot::restore>(Right::admin, Kind::reads),
    route<proto::admin::Status, admin::status>(Right::admin_read, Kind::reads),
    route<proto::admin::Trim, trim::log>(Right::broker, Kind::urgent),
    route<proto::admin::ForgetClient, admin::forget_client>(Right::broker, Kind::urgent),
    route<proto::admin::Lead, admin::lead>(Right::broker, Kind::urgent),
};

consteval bool no_verb_twice() {
  for (std::size_t i = 0; i < routes.size(); ++i) {
    for (std::size_t j = i + 1; j < routes.size(); ++j) {
      if (routes[i].verb == routes[j].verb) return false;
    }
  }
  return true;
}
static_assert(no_verb_twice());

}  // namespace

const RouteEntry* find_route(std::string_view verb) {
  const auto found = std::find_if(routes.begin(), routes.end(),
                                  [&](const RouteEntry& r) { return r.verb == verb; });
  return found == routes.end() ? nullptr : &*found;
}

std::span<const RouteEntry> all_routes() { return routes; }

}  // namespace muster::core
