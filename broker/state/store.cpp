// store: two layers in memory and a snapshot of what the last checkpoint left.
#include "broker/state/store.hpp"

#include <utility>

#include "broker/state/lmdb.hpp"
#include "broker/state/schema.hpp"

namespace muster::state {

Store::Store(const std::string& folder)
    : environment_(std::make_unique<Environment>(folder)),
      snapshot_(std::make_unique<Snapshot>(*environment_)),
      checkpointed_(stored_seq()) {}

Store::~Store() = default;

const std::optional<std::string>& Store::replaced() const { return environment_->replaced(); }

Seq Store::stored_seq() const {
  const std::optional<std::string_view> row = snapshot_->get(TableId::meta, schema::seq_key);
  ENSURE(row);
  return Seq{schema::number_of(*row)};
}

Seq Store::log_floor() const {
  const std::optional<std::string_view> row = snapshot_->get(TableId::meta, meta::trim_seq);
  return Seq{row ? schema::number_of(*row) : 0};
}

std::optional<std::string> Store::get(TableId table, std::string_view key) const {
  if (const Layer::Value* row = active_.find(table, key)) return std::optional<std::string>(*row);
  return std::optional<std::string>(below(table, key));
}

std::optional<std::string_view> Store::below(TableId table, std::string_view key) const {
  if (sealed_) {
    if (const Layer::Value* row = sealed_->find(table, key)) return *row;
  }
  return snapshot_->get(table, key);
}

void Store::erase(TableId table, std::string_view key) {
  const Layer::Value* const row = active_.find(table, key);
  if (row && *row && !below(table, key)) active_.forget(table, key);
  else active_.erase(table, key);
}

void Store::seal(Seq reached) {
  ENSURE(!sealed_);
  ENSURE(reached >= checkpointed_);
  sealed_ = std::make_unique<Layer>(std::exchange(active_, Layer()));
  sealed_seq_ = reached;
}

void Store::write_sealed() const {
  ENSURE(sealed_);
  Transaction write(*environment_);
  write.put(*sealed_);
  write.put(TableId::meta, schema::seq_key, schema::number_row(sealed_seq_.value));
  write.commit();
}

void Store::copy_to(const std::string& folder) const { environment_->copy_to(folder); }

void Store::settle() {
  ENSURE(sealed_);
  snapshot_->renew();
  checkpointed_ = stored_seq();
  ENSURE(checkpointed_ == sealed_seq_);  // else rows would be lost
  sealed_.reset();
}

}  // namespace muster::state
