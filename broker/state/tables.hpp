// tables: typed access to rows: a key and a msgpack map.
//
// A table is a view with a type: it reads through all layers and writes into the one layer that it
// was given (a turn's request layer), or nowhere (const).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "broker/state/rows.hpp"
#include "broker/state/schema.hpp"
#include "broker/state/store.hpp"

namespace muster::state {

/// Eight bytes, big-endian, so that keys sort as numbers do.
std::string be64(std::uint64_t number);
/// Precondition: at least eight bytes, the last eight of which are the number.
std::uint64_t be64_at_end(std::string_view key);
/// Parts joined by NUL: none of them but the last may contain one.
std::string joined(std::string_view first, std::string_view second);

template <class Row>
Row decode_row(std::string_view bytes) {
  const msgpack::object_handle handle =
      msgpack::unpack(bytes.data(), bytes.size(),
                      [](msgpack::type::object_type, std::size_t, void*) { return true; });
  return handle.get().as<Row>();
}

template <class Row>
std::string encode_row(const Row& row) {
  msgpack::sbuffer buffer(128);
  msgpack::pack(buffer, row);
  return std::string(buffer.data(), buffer.size());
}

template <class Row, TableId table>
class ReadTable {
 public:
  explicit ReadTable(const View& view) : view_(view) {}

  std::optional<Row> get(std::string_view key) const {
    const std::optional<std::string> found = view_.get(table, key);
    if (!found) return std::nullopt;
    return decode_row<Row>(*found);
  }

  /// Rows whose key begins with `prefix`, from `from` on, in order, until `visit` returns false.
  void scan(std::string_view prefix, std::string_view from,
            const std::function<bool(std::string_view key, const Row& row)>& visit) const {
    view_.scan(table, prefix, from, [&](std::string_view key, std::string_view value) {
      return visit(key, decode_row<Row>(value));
    });
  }
  void scan(std::string_view prefix,
            const std::function<bool(std::string_view key, const Row& row)>& visit) const {
    scan(prefix, prefix, visit);
  }

 protected:
  const View& view_;
};

template <class Row, TableId table>
class Table : public ReadTable<Row, table> {
 public:
  Table(const View& view, Layer& target) : ReadTable<Row, table>(view), target_(target) {}

  void put(std::string_view key, const Row& row) { target_.put(table, key, encode_row(row)); }
  void erase(std::string_view key) { target_.erase(table, key); }

 private:
  Layer& target_;
};

template <template <class, TableId> class T>
struct Tables {
  using Kv = T<KvRow, TableId::kv>;
  using KvRevs = T<KvRev, TableId::kv_revs>;
  using KvPast = T<PastRow, TableId::kv_past>;
  using KvDues = T<KvDue, TableId::kv_due>;
  using SessionKvs = T<SessionKv, TableId::session_kv>;
  using TopicRevs = T<Revision, TableId::topic_revs>;
  using Sessions = T<SessionRow, TableId::sessions>;
  using Locks = T<LockRow, TableId::locks>;
  using Tickets = T<TicketRow, TableId::tickets>;
  using SessionTickets = T<SessionTicket, TableId::session_keys>;
  using Nodes = T<NodeRow, TableId::nodes>;
  using Services = T<ServiceRow, TableId::services>;
  using Checks = T<CheckRow, TableId::checks>;
  using CheckOutputs = T<CheckOutputRow, TableId::check_outputs>;
  using Events = T<EventRow, TableId::events>;
  using Cursors = T<CursorRow, TableId::cursors>;
  using Jobs = T<JobRow, TableId::jobs>;
  using JobRequests = T<std::string, TableId::job_requests>;
  using Tasks = T<TaskRow, TableId::tasks>;
  using Dedupe = T<AnswerRow, TableId::dedupe>;
  using Clients = T<ClientRow, TableId::clients>;
  using Meta = T<std::string, TableId::meta>;
};
using Read = Tables<ReadTable>;
using Write = Tables<Table>;

}  // namespace muster::state
