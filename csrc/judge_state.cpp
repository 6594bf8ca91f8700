// EpisodeJudge to bytes and back. All numbers little-endian, without padding:
//
//   "BOMBJUDG", version u32, fingerprint u64 of the episode (stones, goal, tolerances),
//   layout, tool at reset, and everything the judge remembers, checksum u64 of all before it.
//
// The layout travels along because another engine may have settled it differently: after
// set_state, displacements are measured from where the saved episode began.
#include <cstring>
#include <utility>

#include "check.hpp"
#include "judge.hpp"

namespace bomb {
namespace {

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "judge states are defined for little-endian machines"
#endif

constexpr char kMagic[] = "BOMBJUDG";
constexpr std::size_t kMagicSize = sizeof kMagic - 1;
constexpr std::uint32_t kVersion = 4;

// FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
std::uint64_t hash(const std::string& bytes) {
  std::uint64_t value = 14695981039346656037ULL;
  for (const char byte : bytes) value = (value ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
  return value;
}

// Writes numbers to bytes.
class Writer {
 public:
  template <typename Number>
  void operator()(Number& value) {
    char raw[sizeof(Number)];
    std::memcpy(raw, &value, sizeof raw);
    bytes.append(raw, sizeof raw);
  }
  std::string bytes;
};

// Reads them back; the caller has checked the total size.
class Reader {
 public:
  explicit Reader(const char* from) : from_(from) {}
  template <typename Number>
  void operator()(Number& value) {
    std::memcpy(&value, from_, sizeof value);
    from_ += sizeof value;
  }

 private:
  const char* from_;
};

// One list of what is stored, for both directions.
template <typename Archive>
void archive_record(Archive& archive, StoneRecord& record) {
  archive(record.slow_since);
  archive(record.closest_pad);
  archive(record.height_at_grasp);
  archive(record.opening_at_grasp);
  archive(record.touched);
  archive(record.grasped);
  archive(record.lifted);
  archive(record.hold);
}

template <typename Archive>
void archive_flag(Archive& archive, bool& flag) {
  std::uint8_t byte = flag ? 1 : 0;
  archive(byte);
  flag = byte != 0;
}

std::uint64_t fingerprint(Episode episode) {
  Writer writer;
  writer(episode.grid.size);
  writer(episode.grid.pitch);
  for (int& color : episode.colors) writer(color);
  writer(episode.goal.color);
  writer(episode.goal.row);
  writer(episode.goal.column);
  writer(episode.goal.stone);
  archive_flag(writer, episode.goal.on_table);
  Region& region = episode.goal.region;
  for (double* value : {&region.x, &region.y, &region.half_x, &region.half_y, &region.yaw}) writer(*value);
  for (const ToleranceField& field : kToleranceFields) writer(episode.tolerances.*field.value);
  return hash(writer.bytes);
}

}  // namespace

template <typename Archive>
void EpisodeJudge::archive(Archive& archive) {
  for (StoneMeasure& measure : layout_) archive(measure);
  for (float& value : tool_at_reset_) archive(value);
  archive_flag(archive, started_);
  archive(time_);
  archive(opening_);
  for (StoneMeasure& measure : now_) archive(measure);
  for (StoneRecord& record : records_) archive_record(archive, record);
  for (bool& flag : stages_) archive_flag(archive, flag);
  archive_flag(archive, source_intended_);
  archive_flag(archive, source_pinched_);
  archive(first_grasped_);
  archive(placed_);
  archive_flag(archive, success_once_);
}

std::string EpisodeJudge::get_state() const {
  Writer writer;
  writer.bytes.append(kMagic, kMagicSize);
  std::uint32_t version = kVersion;
  writer(version);
  std::uint64_t episode = fingerprint(episode_);
  writer(episode);
  EpisodeJudge(*this).archive(writer);
  std::uint64_t checksum = hash(writer.bytes);
  writer(checksum);
  return writer.bytes;
}

void EpisodeJudge::set_state(const std::string& bytes) {
  constexpr std::size_t kHeader = kMagicSize + sizeof(std::uint32_t) + sizeof(std::uint64_t);
  if (bytes.size() < kHeader || bytes.compare(0, kMagicSize, kMagic) != 0) {
    refuse("state: these bytes are no judge state");
  }
  std::uint32_t version = 0;
  std::uint64_t episode = 0, checksum = 0;
  Reader header(bytes.data() + kMagicSize);
  header(version);
  header(episode);
  if (version != kVersion) {
    refuse("state: version " + std::to_string(version) + ", this judge reads " + std::to_string(kVersion));
  }
  if (episode != fingerprint(episode_)) {
    refuse("state: belongs to an episode with other stones, goal or tolerances");
  }
  const std::size_t body = bytes.size() - sizeof checksum;
  Reader(bytes.data() + body)(checksum);
  if (bytes.size() != get_state().size() || checksum != hash(bytes.substr(0, body))) {
    refuse("state: damaged");
  }
  EpisodeJudge read(*this);
  Reader reader(bytes.data() + kHeader);
  read.archive(reader);
  const int stones = episode_.stones();
  if (read.first_grasped_ < -1 || read.first_grasped_ >= stones || read.placed_ < -1 ||
      read.placed_ >= stones) {
    refuse("state: damaged");
  }
  read.check_layout();
  read.check_measures(read.now_.data());
  read.find_source();
  *this = std::move(read);
}

}  // namespace bomb
