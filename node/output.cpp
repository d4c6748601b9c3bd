// output: keeping, telling, forgetting.
#include "node/output.hpp"

#include <algorithm>

#include "common/limits.hpp"

namespace muster::node {

void Output::add(std::string_view bytes) { kept_.append(bytes); }

void Output::credit(const Credit& credit) {
  allow_ = std::max(allow_, credit.allow);
  const std::uint64_t have = std::min(credit.have, produced());
  if (have <= have_) return;
  kept_.erase(0, have - have_);
  if (kept_.empty()) kept_.shrink_to_fit();
  have_ = have;
  told_ = std::max(told_, have_);
}

std::optional<Output::Piece> Output::next() {
  const bool rest = told_ < produced() || (ended_ && !eof_told_);
  if (!rest || under_way_ >= limits::output_pieces_max) return std::nullopt;
  Piece piece{.offset = told_, .bytes = kept_.substr(told_ - have_, limits::output_chunk_bytes)};
  told_ += piece.bytes.size();
  piece.eof = ended_ && told_ == produced();
  eof_told_ = piece.eof;
  ++under_way_;
  return piece;
}

void Output::missed(std::uint64_t offset) {
  --under_way_;
  told_ = std::clamp(offset, have_, told_);
  eof_told_ = false;
}

std::size_t Output::room(std::size_t kept_max) const {
  if (ended_ || allow_ <= produced() || kept_max <= kept_.size()) return 0;
  return std::min({limits::output_chunk_bytes, kept_max - kept_.size(),
                   static_cast<std::size_t>(allow_ - produced())});
}

void Output::drop() {
  have_ = told_ = produced();
  kept_.clear();
  kept_.shrink_to_fit();
  eof_told_ = true;
}

}  // namespace muster::node
