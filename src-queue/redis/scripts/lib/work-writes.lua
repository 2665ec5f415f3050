-- The end of work.lua: writes what was judged and chosen there. Nothing here can fail.
if inFront and taken > 0 then call('ZREMRANGEBYRANK', PENDING, '0', int(taken - 1))
else many('ZREM', PENDING, take) end
local gone, completedEvents, endedEvents = {}, {}, NONE
local ended, done = 0, 0 -- all that ended here; those of them that completed
local fresh, ranks = {}, {}
local completed, histories = segments('C', worker), P .. 'h:'
for i = 1, nC do
  if not refused[i] then
    local id = ARGV[ID + i]
    local item, head = items[id], heads[i]
    local text = completed(item, ARGV[TOKEN + i], ARGV[RESULT + i])
    done = done + 1
    gone[done] = id
    bytes = bytes + #text
    local k = 2 * done
    if historyBytes[i] then call('APPEND', histories .. id, text)
    else fresh[#fresh + 1] = histories .. id; fresh[#fresh + 1] = text end
    ranks[k - 1], ranks[k] = number(rank_number(done - 1)), id
    completedEvents[k + done - 2], completedEvents[k + done - 1], completedEvents[k + done] = id, item, ','
    if head and head ~= '' then
      free_unique(id, head)
      tell_dependants(id, head, 'C')
    end
  end
end
ended = done
local back, later, retry, dead, cancelled = NONE, NONE, NONE, NONE, NONE
if nO > 0 then
  back, later, retry, dead, cancelled, endedEvents = {}, {}, {}, {}, {}, {}
  local segmentsOf = {}
  for i = nC + 1, total do
    local id, token, head = ARGV[ID + i], ARGV[TOKEN + i], heads[i]
    if not refused[i] then
      ended = ended + 1
      gone[ended] = id
    end
    if not refused[i] and head ~= '' then
      local at, item = OTHER + 5 * (i - nC - 1), items[id]
      local kind, delay, fingerprint, errorName, body = ARGV[at + 1], tonumber(ARGV[at + 2]), ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
      local attempt, most = tonumber(sub(item, 1, 4)), tonumber(sub(item, 5, 8))
      if kind == 'F' and attempt >= most then kind = 'D' end
      if has(flags[i], F_CANCEL) and kind ~= 'D' then kind = 'X' end
      local counted = attempt
      if kind == 'R' or kind == 'Z' then counted = attempt - 1 end
      local dueAt = ''
      local middle = sub(head, 5, 32)
      if kind == 'F' then
        dueAt = int(wall + delay); retry[#retry + 1] = dueAt; retry[#retry + 1] = id
      elseif kind == 'Z' then
        dueAt = int(wall + delay); later[#later + 1] = dueAt; later[#later + 1] = id
      elseif kind == 'R' then
        back[#back + 1] = head_score(head); back[#back + 1] = id
      elseif kind == 'X' then
        cancelled[#cancelled + 1] = rank(ended - 1); cancelled[#cancelled + 1] = id
      else
        dead[#dead + 1] = rank(ended - 1); dead[#dead + 1] = id
        middle = fingerprint .. '----' .. sub(head, 17, 32)
        bury(id, fingerprint, head_type(head), errorName)
      end
      if dueAt ~= '' then due = min(due, wall + delay) end
      if has(flags[i], F_EXPIRES) and (kind == 'F' or kind == 'Z' or kind == 'R') then
        call('ZADD', EXPIRING, head_field(head, 4), id)
      end
      if kind == 'D' or kind == 'X' then
        free_unique(id, head)
        tell_dependants(id, head, 'X')
      end
      call('SETRANGE', P .. 't:' .. id, '0', fmt('%04d', counted) .. middle .. char(48 + with(head_flags(head), F_HISTORY)))
      -- A task that goes to sleep over and over does not fill its history: past 64 KiB only ends are written.
      if kind == 'F' or kind == 'D' or kind == 'X' or historyBytes[i] < 65536 then
        segmentsOf[kind] = segmentsOf[kind] or segments(kind, worker)
        local text = segmentsOf[kind](item, token, body)
        bytes = bytes + #text
        call('APPEND', histories .. id, text)
      end
      endedEvents[#endedEvents + 1] = id .. kind .. item .. '|' .. dueAt .. '|' .. fingerprint .. '|' .. errorName
    end
  end
end
if ended > 0 then
  many('HDEL', ACTIVE, gone)
  many('ZREM', LEASES, gone)
  if reported > 0 then many('HDEL', PROGRESS, gone) end
  if #fresh > 0 then call('MSET', unpack(fresh)) end
  many('ZADD', COMPLETED, ranks)
end
if nO > 0 then
  many('ZADD', FAILED, dead)
  many('ZADD', CANCELLED, cancelled)
  many('ZADD', RETRYING, retry)
  many('ZADD', SCHEDULED, later)
  many('ZADD', PENDING, back)
end
completedEvents[3 * done] = nil -- no comma after the last
emit_text('c', table.concat(completedEvents), done)
emit('f', endedEvents)

if #promoted > 0 then
  local started, add, told = {}, {}, {}
  for i = 1, taken do started[take[i]] = true end
  for key, ids in pairs(promotedFrom) do many('ZREM', key, ids) end
  for _, id in ipairs(promoted) do
    if promotedHeads[id] then waiting = waiting + 1 end
    if promotedHeads[id] and not started[id] then
      add[#add + 1] = int(promotedScore[id]); add[#add + 1] = id
      told[#told + 1] = id .. sub(promotedHeads[id], 32, 32) .. head_type(promotedHeads[id])
    end
  end
  many('ZADD', PENDING, add)
  emit('p', told)
end
many('ZREM', PENDING, orphans)
for _, task in ipairs(park) do
  call('ZADD', PARKED, head_score(task[2]), task[1])
  call('ZREM', PENDING, task[1])
end

local base = epoch
if taken > 0 then
  -- Redis keeps small zsets and hashes as packed lists, in which each access reads half of the list. One member of more
  -- than 64 bytes turns them into real tables, for as long as they are not empty: worth it from a handful of tasks on.
  local long = taken > 8 and string.rep('-', 65)
  if long then
    call('ZADD', LEASES, '0', long)
    call('HSET', ACTIVE, long, '')
  end
  many('ZADD', LEASES, leases)
  many('HSET', ACTIVE, active)
  if long then
    call('ZREM', LEASES, long)
    call('HDEL', ACTIVE, long)
  end
  many('ZREM', EXPIRING, expiring)
  epoch = epoch + taken
  told[2 * taken] = lastItem -- no comma after the last
  emit_text('s', table.concat(told), taken)
  if rateMax then set('rate_start', int(rateStart)); set('rate_count', int(rateCount + taken)) end
end

-- Wake another worker: for what is left after a full batch, for room under the concurrency limit, for tasks of
-- types that only others run, and for tasks handed back.
local room = settled > 0 and concurrency
if #back > 0 or waiting > taken and (want > 0 and taken == want or skipped == 1 or room) then wake() end

if looks then call('DEL', inbox_of(worker)) end
if place and not repeated then
  local idle = standMs > 0 and taken == 0 and #handed == 0 and not paused and not limited
  if idle then
    call('ZADD', STANDBY, int(wall + standMs), place)
  elseif stands then
    call('ZREM', STANDBY, place)
  end
  stands = idle
end

set(lane, nonce)
if taken > 0 then set('epoch', int(epoch)) end
if ended > 0 then set('bytes', int(bytes)) end
if due ~= dueBefore then set('due', int(due)) end
local cap = max(250, floor(lease / 4))
if cap < clockCap then set('cap', int(cap)) end
save_meta(worker)

local untilDue = -1
if due < NEVER then untilDue = max(0, due - wall) end
if rateUntil and (untilDue < 0 or rateUntil < untilDue) then untilDue = rateUntil end
local verdicts = string.rep('A', total)
if refusals > 0 then
  for i = 1, total do refused[i] = refused[i] or 'A' end
  verdicts = table.concat(refused)
end
return { wall, untilDue, skipped, base, verdicts, repeated and againEpochs or 0, repeated and again or reply,
  stands and 1 or 0, handed }
