-- What every script begins with: the queue's keys, its clock, its counters, its event.
-- KEYS[1] is the queue's meta hash; all other keys are derived from it and lie in its hash slot.
local call = redis.call
local sub, byte, find, fmt, char = string.sub, string.byte, string.find, string.format, string.char
local floor, min, max = math.floor, math.min, math.max
local P = sub(KEYS[1], 1, -5) -- mr:{queue}:meta without "meta"

-- While a slot moves to another node of a Cluster, its keys lie partly here and partly there, and whoever runs a script on
-- the node that takes them would see the others as absent: a running task as gone, a full queue as empty. Of several
-- keys in one command all must be there, or the node refuses it. So one that never is makes the call wait for the end.
call('EXISTS', KEYS[1], P .. 'never')

local PENDING, PARKED, LEASES, ACTIVE = P .. 'pending', P .. 'parked', P .. 'leases', P .. 'active'
local SCHEDULED, RETRYING, BLOCKED = P .. 'scheduled', P .. 'retrying', P .. 'blocked'
local COMPLETED, FAILED, CANCELLED = P .. 'completed', P .. 'failed', P .. 'cancelled'
local UNIQUE, EXPIRING, GROUPS, TYPES = P .. 'unique', P .. 'expiring', P .. 'groups', P .. 'types'
local EVENTS, WAKE, PROGRESS, OUTBOX, SERVED = P .. 'events', P .. 'wake', P .. 'progress', P .. 'outbox', P .. 'served'

-- Bits of a record's flag byte (its value is 48 + bits): unique key, expires_at, others depend on it,
-- has a history, has an idempotency key; in the active line also: a cancel was asked for.
local F_UNIQUE, F_EXPIRES, F_NEEDED, F_HISTORY, F_CANCEL = 1, 2, 4, 8, 32
local function has(flags, bit) return floor(flags / bit) % 2 == 1 end
local function with(flags, bit) if has(flags, bit) then return flags end return flags + bit end

-- Numbers leave Lua through %d: `..` would keep 14 digits only.
local function int(n) return fmt('%d', n) end

local META = { 'wall', 'mono', 'cap', 'events', 'epoch', 'seq', 'due', 'paused', 'concurrency',
  'rate_max', 'rate_per', 'rate_start', 'rate_count', 'bytes', 'schema', 'aging' }
local EPOCH_MS = 1735689600000 -- 2025-01-01, the zero of ranks
local BAND = 35184372088832 -- 2^45: a pending score is (10 - priority) * 2^45 + seq
local NEVER = 9007199254740991

-- The queue clock: real time in normal running, but one call never moves it by more than `cap`, nor back. So a
-- stepped wall clock, a suspended machine or a Redis outage cannot end the leases of workers that are alive.
local m, wall, wallText, mono, eventCount, epoch, seq, due, paused
local events, eventItems = {}, 0
local changed = {}

local function now_ms()
  local t = call('TIME')
  return t[1] * 1000 + floor(t[2] / 1000)
end

-- `schema` is the layout's version (redis/layout-gate.ts): a queue in another one is refused, untouched.
-- Reading scripts ask it by itself.
local function known_layout()
  local schema = redis.pcall('HGET', KEYS[1], 'schema') -- a damaged `meta` is for whoever reads on
  return type(schema) ~= 'string' or schema == '1'
end

-- `more` is one further field to read; its value is m[17].
local function load_meta(more)
  if more then META[17] = more end
  m = call('HMGET', KEYS[1], unpack(META))
  if m[15] and tonumber(m[15]) ~= 1 then return false end
  wall = now_ms()
  wallText = int(wall)
  local last, cap = tonumber(m[1] or wall), tonumber(m[3] or 2500)
  local passed = wall - last
  if passed < 0 then passed = 0 elseif passed > cap then passed = cap end
  mono = tonumber(m[2] or 0) + passed
  eventCount, epoch, seq = tonumber(m[4] or 0), tonumber(m[5] or 0), tonumber(m[6] or 0)
  due, paused = tonumber(m[7] or NEVER), m[8] == '1'
  return true
end

local function set(field, value) changed[#changed + 1] = field; changed[#changed + 1] = value end

-- Events of one call travel as one stream entry: `n <number of the first> [w worker] <kind> <items>…`.
local function emit(kind, items)
  if #items == 0 then return end
  events[#events + 1] = kind
  events[#events + 1] = table.concat(items, ',')
  eventItems = eventItems + #items
end

-- The same of `count` items in three pieces each, the last a comma. Redis's Lua hashes each byte of each string that is made,
-- so what is glued together once is half of what is glued together twice.
local function emit_pieces(kind, pieces, count)
  if count == 0 then return end
  pieces[3 * count] = nil
  events[#events + 1] = kind
  events[#events + 1] = table.concat(pieces)
  eventItems = eventItems + count
end

local function save_meta(worker)
  if eventItems > 0 then
    local first = int(eventCount)
    eventCount = eventCount + eventItems
    if worker then
      call('XADD', EVENTS, 'MAXLEN', '~', EVENTS_KEPT, '*', 'n', first, 'w', worker, unpack(events))
    else
      call('XADD', EVENTS, 'MAXLEN', '~', EVENTS_KEPT, '*', 'n', first, unpack(events))
    end
  end
  if not m[15] then set('schema', '1') end
  call('HSET', KEYS[1], 'wall', wallText, 'mono', int(mono), 'events', int(eventCount), unpack(changed))
end

-- Unique within one millisecond, so that a page can go on after it.
local function rank(offset) return int((wall - EPOCH_MS) * 4096 + (eventCount + offset) % 4096) end
local function time_of_rank(text) return floor(tonumber(text) / 4096) + EPOCH_MS end

-- A task's record: 4 attempts ended, 12 seq (hex) or fingerprint, 11 created (hex), 4 executions at most,
-- 1 band (10 - priority), 1 flags, then `type|…\n` and the payload.
-- Its first HEAD_BYTES cover any text head. Bounds of commands are text: to print a number takes longer than the command.
local HEAD_BYTES, HEAD_LAST = 16384, '16383'
local function head_type(head) return sub(head, 34, find(head, '|', 34, true) - 1) end
local function head_flags(head) return byte(head, 33) - 48 end
-- Strict: by priority, then by seq. With aging, a priority less counts like `aging` ms more of waiting, so even the
-- least urgent task waits at most nine times that behind fresh urgent ones; no job in the background is needed.
local function score_of(band, seq_, created)
  if not m[16] then return int(band * BAND + seq_) end
  return int((created - EPOCH_MS + band * tonumber(m[16])) * 4096 + seq_ % 4096)
end
local function head_score(head)
  return score_of(byte(head, 32) - 48, tonumber(sub(head, 5, 16), 16), tonumber(sub(head, 17, 27), 16))
end
-- Field k of the text head, from 1: type timeout backoff expires owner unique tags name idempotency retries depends run_at
local function head_field(head, k)
  local from = 34
  local stop = find(head, '\n', 34, true)
  for _ = 2, k do
    local bar = find(head, '|', from, true)
    if not bar or bar > stop then return '' end
    from = bar + 1
  end
  local bar = find(head, '|', from, true)
  if not bar or bar > stop then bar = stop end
  return sub(head, from, bar - 1)
end

-- Sizes as text, each made once: one call needs few different ones.
local function texts(format)
  return setmetatable({}, { __index = function(made, n)
    made[n] = fmt(format, n)
    return made[n]
  end })
end
local decimal, hex = texts('%d'), texts('%08x')

-- A segment of a history ends with its own length, so it can be read from the end.
-- `token` has its bars around it: `|token|`, or `||` where nobody had claimed the task.
local function segment(kind, item, token, worker, body)
  local size = decimal[#body]
  local length = #kind + #wallText + #item + #token + #worker + #size + #body + 3
  return kind .. wallText .. '|' .. item .. token .. worker .. '|' .. size .. '|' .. body .. hex[length] .. '\n'
end

-- attempt 4, most 4, band 1, started 11 (hex), type: copied unread from the active line into history and events
local function item_of(head, attempt)
  return fmt('%04d', attempt) .. sub(head, 28, 32) .. '00000000000' .. head_type(head)
end

local function wake()
  if call('LLEN', WAKE) == 0 then call('LPUSH', WAKE, '1') end
end

-- A command on many members. A call has a thousand tasks at most: far below the eight thousand values that unpack can take.
local function many(command, key, list)
  if #list > 0 then call(command, key, unpack(list)) end
end
