#!lua flags=no-writes
-- state.lua: counts, limits and clock of a queue.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] id  a task whose place among the pending is asked for, or ''
-- RETURNS {wall ms, eight counts (scheduled blocked pending processing retrying completed failed cancelled),
--   created ms of the oldest pending task or -1, paused, concurrency, rate max, rate per ms, target age ms,
--   ms until the rate limit opens or 0, pending tasks before `id` or -1, bytes, exists 0|1, aging ms, durability, shards}; -1 another layout
-- DERIVES t:<id> of the oldest pending task of each priority
-- COST O(log N)
if not known_layout() then return -1 end
local m_ = ask({}, 'HMGET', KEYS[1], 'paused', 'concurrency', 'rate_max', 'rate_per', 'target_age', 'rate_start', 'rate_count', 'bytes', 'schema', 'wall', 'mono', 'aging', 'durability', 'shards')
local now = now_ms()
local oldest = -1
local function look_at(id)
  local head = id and ask('', 'GETRANGE', P .. 't:' .. id, 0, 33) or ''
  if head == '' then return end
  local created = tonumber(sub(head, 17, 27), 16)
  if oldest < 0 or created < oldest then oldest = created end
end
for _, key in ipairs({ PENDING, PARKED }) do
  if m_[12] then
    for _, id in ipairs(ask({}, 'ZRANGE', key, 0, 9)) do look_at(id) end
  else
    -- from one priority that has tasks to the next: the others cost nothing
    local band = 0
    while band <= 9 do
      local found = ask({}, 'ZRANGE', key, int(band * BAND), '(' .. int(10 * BAND), 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
      if not found[1] then break end
      look_at(found[1])
      band = floor(tonumber(found[2]) / BAND) + 1
    end
  end
end
local function size(key) return ask(0, 'ZCARD', key) end
local open = 0
if m_[3] and tonumber(m_[7] or 0) >= tonumber(m_[3]) then
  local mono_ = tonumber(m_[11]) + max(0, now - tonumber(m_[10]))
  open = max(0, tonumber(m_[6]) + tonumber(m_[4]) - mono_)
end
local place = -1
if ARGV[1] ~= '' then
  local before = ask(false, 'ZRANK', PENDING, ARGV[1])
  if before then place = before end
end
return { now, size(SCHEDULED), size(BLOCKED), size(PENDING) + size(PARKED),
  size(LEASES), size(RETRYING), size(COMPLETED), size(FAILED), size(CANCELLED),
  oldest, m_[1] or '', m_[2] or '', m_[3] or '', m_[4] or '', m_[5] or '', open, place, m_[8] or '0', m_[9] and 1 or 0, m_[12] or '', m_[13] or '', m_[14] or '' }
