-- What every script begins with: the queue's keys, its clock, its counters, its event.
-- KEYS[1] is the queue's meta hash; all other keys are derived from it and lie in its hash slot.
local P = string.sub(KEYS[1], 1, -5) -- mr:{queue}:meta without "meta"

-- While a slot moves to another node of a Cluster, its keys lie partly here and partly there, and whoever runs a script on
-- the node that takes them would see the others as absent: a running task as gone, a full queue as empty. Of several
-- keys in one command all must be there, or the node refuses it. So one that never is makes the call wait for the end.
redis.call('EXISTS', KEYS[1], P .. 'never')

local PENDING = P .. 'pending'
local PARKED = P .. 'parked'
local LEASES = P .. 'leases'
local ACTIVE = P .. 'active'
local SCHEDULED = P .. 'scheduled'
local RETRYING = P .. 'retrying'
local BLOCKED = P .. 'blocked'
local COMPLETED = P .. 'completed'
local FAILED = P .. 'failed'
local CANCELLED = P .. 'cancelled'
local UNIQUE = P .. 'unique'
local EXPIRING = P .. 'expiring'
local GROUPS = P .. 'groups'
local TYPES = P .. 'types'
local EVENTS = P .. 'events'
local WAKE = P .. 'wake'
local PROGRESS = P .. 'progress'
local OUTBOX = P .. 'outbox'
local SERVED = P .. 'served'

local EPOCH_MS = 1735689600000 -- 2025-01-01, the zero of ranks
local BAND = 35184372088832 -- 2^45: a pending score is (10 - priority) * 2^45 + seq
local NEVER = 9007199254740991

-- Bits of a record's flag byte (its value is 48 + bits): unique key, expires_at, others depend on it,
-- has a history, has an idempotency key; in the active line also: a cancel was asked for.
local F_UNIQUE, F_EXPIRES, F_NEEDED, F_HISTORY, F_CANCEL = 1, 2, 4, 8, 32

-- The queue clock: real time in normal running, but one call never moves it by more than `clockCap`, nor back. So a
-- stepped wall clock, a suspended machine or a Redis outage cannot end the leases of workers that are alive.
local wall, wallText, mono, clockCap, eventCount, isNew
local events, eventItems = {}, 0
local changed = {}
local NONE = {} -- for a list that mostly stays empty; nothing is ever put in

-- Last before the functions: Lua looks through the variables that functions share from the last to the first.
local floor, min, max, char, byte = math.floor, math.min, math.max, string.char, string.byte
local fmt, find, sub, call = string.format, string.find, string.sub, redis.call

local function has(flags, bit) return floor(flags / bit) % 2 == 1 end

local function with(flags, bit) if has(flags, bit) then return flags end return flags + bit end

-- Numbers leave Lua through %d: `..` would keep 14 digits only. Those that are known go to commands as text: Redis prints one that
-- it is given as a number with 17 digits, which costs more than most commands.
local function int(n) return fmt('%d', n) end

-- Prints whole numbers that are near each other: they share all but their last two digits, which come out of a table.
local function near_numbers()
  local leads = {}
  local last = { '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20',
    '21', '22', '23', '24', '25', '26', '27', '28', '29', '30', '31', '32', '33', '34', '35', '36', '37', '38', '39', '40',
    '41', '42', '43', '44', '45', '46', '47', '48', '49', '50', '51', '52', '53', '54', '55', '56', '57', '58', '59', '60',
    '61', '62', '63', '64', '65', '66', '67', '68', '69', '70', '71', '72', '73', '74', '75', '76', '77', '78', '79', '80',
    '81', '82', '83', '84', '85', '86', '87', '88', '89', '90', '91', '92', '93', '94', '95', '96', '97', '98', '99', [0] = '00' }
  return function(n)
    if n < 100 then return int(n) end
    local rest = n % 100
    local lead = n - rest
    local text = leads[lead]
    if not text then
      text = int(lead / 100)
      leads[lead] = text
    end
    return text .. last[rest]
  end
end

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

-- Sets the clock. Each field costs about as much as a small command, so a script names those that it needs.
-- Returns false in an unknown layout, else true and the named fields, false for each that is not there.
local function load_meta(...)
  local m = call('HMGET', KEYS[1], 'schema', 'wall', 'mono', 'cap', 'events', ...)
  isNew = not m[1]
  if m[1] and m[1] ~= '1' then return false end
  wall = now_ms()
  wallText = int(wall)
  -- `+ 0` makes a number of a text in half of the time of `tonumber`.
  clockCap, eventCount = (m[4] or 2500) + 0, (m[5] or 0) + 0
  mono = (m[3] or 0) + max(0, min(clockCap, wall - (m[2] or wall)))
  return true, unpack(m, 6)
end

local function set(field, value) changed[#changed + 1] = field; changed[#changed + 1] = value end

-- Events of one call travel as one stream entry: `n <number of the first> [w worker] <kind> <items>…`.
local function emit(kind, items)
  if #items == 0 then return end
  events[#events + 1] = kind
  events[#events + 1] = table.concat(items, ',')
  eventItems = eventItems + #items
end

-- The same of `count` items that are glued already: Redis's Lua hashes each byte of each string that is made, so what is glued
-- once costs half of what is glued twice.
local function emit_text(kind, text, count)
  if count == 0 then return end
  events[#events + 1] = kind
  events[#events + 1] = text
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
  if isNew then set('schema', '1') end
  call('HSET', KEYS[1], 'wall', wallText, 'mono', int(mono), 'events', int(eventCount), unpack(changed))
end

-- Unique within one millisecond, so that a page can go on after it.
local function rank_number(offset) return (wall - EPOCH_MS) * 4096 + (eventCount + offset) % 4096 end

local function rank(offset) return int(rank_number(offset)) end

local function time_of_rank(text) return floor(tonumber(text) / 4096) + EPOCH_MS end

-- A task's record: 4 attempts ended, 12 seq (hex) or fingerprint, 11 created (hex), 4 executions at most,
-- 1 band (10 - priority), 1 flags, then `type|…\n` and the payload.
-- Its first HEAD_BYTES cover any text head.
local HEAD_BYTES, HEAD_LAST = 16384, '16383'
local function head_type(head) return sub(head, 34, find(head, '|', 34, true) - 1) end

local function head_flags(head) return byte(head, 33) - 48 end

-- Strict: by priority, then by seq. With aging, a priority less counts like `aging` ms more of waiting, so even the
-- least urgent task waits at most nine times that behind fresh urgent ones; no job in the background is needed.
local aging -- once it is known: ms, or false
local function score_number(band, seq, created)
  if aging == nil then aging = call('HGET', KEYS[1], 'aging') end
  if not aging then return band * BAND + seq end
  return (created - EPOCH_MS + band * aging) * 4096 + seq % 4096
end

local function score_of(band, seq, created) return int(score_number(band, seq, created)) end

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

-- A segment of a history ends with its own length, so it can be read from the end. What those of one kind and worker have in
-- common is put together once. `token` has its bars around it: `|token|`, or `||` where nobody had claimed the task.
local function segments(kind, worker)
  local opening, closing = kind .. wallText .. '|', worker .. '|'
  local fixed = #opening + #closing + 1
  local sizes, lengths = {}, {}
  return function(item, token, body)
    local size = sizes[#body]
    if not size then
      size = int(#body)
      sizes[#body] = size
    end
    local length = fixed + #item + #token + #size + #body
    local trailer = lengths[length]
    if not trailer then
      trailer = fmt('%08x\n', length)
      lengths[length] = trailer
    end
    return opening .. item .. token .. closing .. size .. '|' .. body .. trailer
  end
end

local function segment(kind, item, token, worker, body) return segments(kind, worker)(item, token, body) end

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
