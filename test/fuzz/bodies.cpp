// bodies: any bytes as any struct of the protocol, and as a header: refused, or read and written
// back to the same bytes for ever after.
//
// The first byte of an input chooses the struct, the rest is the body.
#include <iterator>

#include "common/protocol/admin.hpp"
#include "common/protocol/catalog.hpp"
#include "common/protocol/cursor.hpp"
#include "common/protocol/event.hpp"
#include "common/protocol/exec.hpp"
#include "common/protocol/health.hpp"
#include "common/protocol/kv_past.hpp"
#include "common/protocol/kv_txn.hpp"
#include "common/protocol/lock.hpp"
#include "common/protocol/session.hpp"
#include "common/protocol/snapshot.hpp"
#include "common/protocol/watch.hpp"
#include "test/fuzz/input.hpp"

namespace muster::test {
namespace {

template <class T>
void settles(std::string_view body) {
  const Result<T> first = codec::decode<T>(body);
  if (!first) {
    ENSURE(first.error().code == Code::invalid);
    return;
  }
  const std::string written = codec::encode(*first);
  const Result<T> second = codec::decode<T>(written);
  ENSURE(second && codec::encode(*second) == written);
}

void header_settles(std::string_view frame) {
  const Result<proto::Header> first = proto::decode_header(frame);
  if (!first) return;
  ENSURE(proto::salvage_request_no(frame) == first->no);
  const std::string written = proto::encode_header(*first);
  const Result<proto::Header> second = proto::decode_header(written);
  // What it leaves out makes room for what msgpack writes longer: never over the bound.
  ENSURE(second && proto::encode_header(*second) == written);
}

void error_is_told(std::string_view body) {
  const Error error = proto::decode_error(body);
  const Error again = proto::decode_error(proto::encode_error(error));
  ENSURE(again.code == error.code);
}

/// Of a request: the body and its reply.
template <class Request>
void both_settle(std::string_view body) {
  settles<Request>(body);
  settles<typename Request::Reply>(body);
}

using Reader = void (*)(std::string_view);
constexpr Reader readers[] = {
    header_settles,
    error_is_told,
    settles<proto::watch::Notice>,
    settles<proto::exec::Progress>,
    settles<proto::exec::Job>,
    settles<proto::event::Event>,
    both_settle<proto::admin::ForgetClient>,
    both_settle<proto::admin::Lead>,
    both_settle<proto::admin::Status>,
    both_settle<proto::admin::Trim>,
    both_settle<proto::catalog::Define>,
    both_settle<proto::catalog::Forget>,
    both_settle<proto::catalog::Nodes>,
    both_settle<proto::catalog::Presence>,
    both_settle<proto::catalog::ReadAgain>,
    both_settle<proto::catalog::Register>,
    both_settle<proto::catalog::Reload>,
    both_settle<proto::catalog::Superseded>,
    both_settle<proto::catalog::Take>,
    both_settle<proto::catalog::Undefine>,
    both_settle<proto::cursor::Advance>,
    both_settle<proto::cursor::Forget>,
    both_settle<proto::cursor::List>,
    both_settle<proto::cursor::Open>,
    both_settle<proto::event::List>,
    both_settle<proto::event::Send>,
    both_settle<proto::exec::Cancel>,
    both_settle<proto::exec::Credit>,
    both_settle<proto::exec::Exited>,
    both_settle<proto::exec::Launch>,
    both_settle<proto::exec::List>,
    both_settle<proto::exec::Output>,
    both_settle<proto::exec::Run>,
    both_settle<proto::exec::Started>,
    both_settle<proto::exec::Stop>,
    both_settle<proto::health::Abandon>,
    both_settle<proto::health::Expire>,
    both_settle<proto::health::List>,
    both_settle<proto::health::Maintain>,
    both_settle<proto::health::Report>,
    both_settle<proto::health::Update>,
    both_settle<proto::kv::Delete>,
    both_settle<proto::kv::DeletePrefix>,
    both_settle<proto::kv::Diff>,
    both_settle<proto::kv::Expire>,
    both_settle<proto::kv::ForgetPast>,
    both_settle<proto::kv::Get>,
    both_settle<proto::kv::List>,
    both_settle<proto::kv::Log>,
    both_settle<proto::kv::Put>,
    both_settle<proto::kv::Revert>,
    both_settle<proto::kv::Txn>,
    both_settle<proto::lock::Acquire>,
    both_settle<proto::lock::GiveUp>,
    both_settle<proto::lock::List>,
    both_settle<proto::lock::Release>,
    both_settle<proto::session::Attach>,
    both_settle<proto::session::Hello>,
    both_settle<proto::session::Open>,
    both_settle<proto::snapshot::Drop>,
    both_settle<proto::snapshot::Read>,
    both_settle<proto::snapshot::Restore>,
    both_settle<proto::snapshot::Save>,
    both_settle<proto::snapshot::Upload>,
    both_settle<proto::snapshot::Write>,
    both_settle<proto::watch::Read>,
    both_settle<proto::watch::Sync>,
};

}  // namespace

void run(Input input) {
  const std::uint8_t which = input.byte();
  readers[which % std::size(readers)](input.rest());
}

}  // namespace muster::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  muster::test::run(muster::test::Input(data, size));
  return 0;
}
