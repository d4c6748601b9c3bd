// crash_log: a log that lets the broker die at a chosen step of its next append.
#pragma once

#include "test/support/sim_log.hpp"

namespace muster::sim {

/// The broker's process has died.
struct Crash {};

enum class At {
  never,
  before_append,  ///< nothing of the turn is durable
  torn,           ///< half a record was written: recovery cuts it
  after_append,   ///< durable, and nobody was told
  deposed,        ///< another broker leads: nothing of the turn is durable
};

class CrashLog final : public log::Log {
 public:
  void die(At at) { at_ = at; }

  void append(log::Entry entry, log::Listener& listener) override {
    const At at = std::exchange(at_, At::never);
    if (at == At::before_append || at == At::torn) throw Crash{};
    if (at == At::deposed) inner_.next_append(test::Fate::deposed);
    if (at == At::after_append) {
      struct Nobody final : log::Listener {
        void on_committed() override {}
        void on_deposed() override {}
      } nobody;
      inner_.append(std::move(entry), nobody);
      throw Crash{};
    }
    inner_.append(std::move(entry), listener);
  }
  bool read(Seq from, const std::function<bool(const log::Entry&)>& visit) const override {
    return inner_.read(from, visit);
  }
  Seq seek(Revision after) const override { return inner_.seek(after); }
  Seq first() const override { return inner_.first(); }
  Seq last() const override { return inner_.last(); }
  log::Room room() const override { return inner_.room(); }
  std::size_t bytes() const override { return inner_.bytes(); }
  Seq next_floor() const override { return inner_.next_floor(); }
  void trim(Seq floor) override { inner_.trim(floor); }

  test::SimLog& inner() { return inner_; }

 private:
  test::SimLog inner_;
  At at_ = At::never;
};

}  // namespace muster::sim
