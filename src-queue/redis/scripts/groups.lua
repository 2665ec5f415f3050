#!lua flags=no-writes
-- groups.lua: failure groups of one queue: when their tasks came in, and the newest and the oldest looked at of each.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] sample  members whose time is looked at, the newest by creation
-- ARGV[2] step    ms of one count
-- ARGV[3] steps   counts, the last one is that of now
-- ARGV[4] tail    bytes of a member's history; then fingerprints
-- RETURNS {beginning of the first step, then per fingerprint: sampled, counts joined by a comma, ends of both histories}; -1 another layout
-- DERIVES h:<id> ix:f:<fingerprint> from its arguments
-- COST O(fingerprints * sample)
if not known_layout() then return -1 end
local sample, step, steps, tail = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local first = floor(now_ms() / step) - steps + 1
local out = { int(first * step) }
for i = 5, #ARGV do
  local key = P .. 'ix:f:' .. ARGV[i]
  local ids = call('ZRANGE', key, 0, sample - 1, 'REV')
  local counts = {}
  for n = 1, steps do counts[n] = 0 end
  local scores = #ids > 0 and call('ZMSCORE', FAILED, unpack(ids)) or {}
  for n = 1, #ids do
    if scores[n] then
      local at = floor(time_of_rank(scores[n]) / step) - first + 1
      if at >= 1 and at <= steps then counts[at] = counts[at] + 1 end
    end
  end
  local n = #out
  out[n + 1], out[n + 2] = #ids, table.concat(counts, ',')
  out[n + 3] = ids[1] and tail > 0 and call('GETRANGE', P .. 'h:' .. ids[1], -tail, -1) or ''
  out[n + 4] = ids[2] and tail > 0 and call('GETRANGE', P .. 'h:' .. ids[#ids], -tail, -1) or ''
end
return out
