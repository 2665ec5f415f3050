-- Idle workers that stand by for a task: `standby` has a line each, `worker|nonce|lease ms|,types,`, with the time until which it
-- holds. That is wall time: whatever the wall clock does, a worker is passed over at worst, or one gets a task that has died.
local STANDBY = P .. 'standby'
local LONGEST_STAND = 10000 -- ms
-- A line stays for so long after its time: a worker that says so again late is not taken for one that was handed something.
local FORGOTTEN = 60000
-- Workers to whom a task was handed, with the time by the queue clock at which one that is still on their list is taken back.
local HANDING = P .. 'handing'
local HANDING_MS = 1000

local function inbox_of(worker) return P .. 'handed:' .. worker end

-- No scheduled or retrying task is to be promoted: it might be more urgent.
local function nothing_due(due)
  if wall < due then return true end
  for _, key in ipairs({ SCHEDULED, RETRYING }) do
    local first = call('ZRANGE', key, '0', '0', 'WITHSCORES')
    if first[2] and first[2] + 0 <= wall then return false end
  end
  return true
end

-- The one that said so last; nil where none does. Also reads what handing a task to it will write.
local function last_standing()
  local last = call('ZREVRANGEBYSCORE', STANDBY, int(wall + LONGEST_STAND), '(' .. wallText, 'LIMIT', '0', '1')
  if not last[1] then return nil end
  local worker, nonce, lease, types = string.match(last[1], '^([^|]+)|([^|]+)|(%d+)|(.*)$')
  call('ZCARD', LEASES); call('HLEN', ACTIVE); call('ZCARD', HANDING); call('LLEN', inbox_of(worker))
  return { place = last[1], worker = worker, nonce = nonce, lease = tonumber(lease), types = types }
end

-- token, id, record … of what was handed over under this nonce and has not ended. COST O(running tasks of the queue)
local function handed_under(nonce)
  local found = {}
  local all = call('HGETALL', ACTIVE)
  local tail = ':' .. nonce .. '|'
  for i = 1, #all, 2 do
    local at = find(all[i + 1], tail, 22, true)
    local record = at and call('GET', P .. 't:' .. all[i])
    if record then
      local bar = find(all[i + 1], '|', 22, true)
      found[#found + 1] = sub(all[i + 1], bar + 1, at + #nonce)
      found[#found + 1] = all[i]
      found[#found + 1] = record
    end
  end
  return found
end
