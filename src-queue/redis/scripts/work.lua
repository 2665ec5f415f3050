#!lua flags=allow-oom
-- work.lua: settle attempts that ended and claim the next tasks, in one call.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] lane     names one of the worker's lanes: calls of one lane follow each other
-- ARGV[2] nonce    new for every call; the same when a call is repeated because its reply was lost
-- ARGV[3] want     tasks to claim
-- ARGV[4] lease    milliseconds
-- ARGV[5] worker   id
-- ARGV[6] types    `,a,b,` task types that the worker runs
-- ARGV[7] nC       completions
-- ARGV[8] nO       other ends
-- ARGV[9] ahead    how many of `want` have no slot yet: given out of a long backlog only, and not where the queue has limits
-- ARGV[10] standby  `` or `<ms>|<0|1>|<nonce>`: where nothing is claimed the worker stands by for so long (0: no longer) and
--   a task may be handed to it under a token with this nonce; 1: it has stood by, and heard of no task since
-- then of the nC + nO settles, completions first: all ids, all |tokens|, the results of the completions, and of each other
--   end kind, delay ms, fingerprint, error name, body
-- RETURNS {wall ms, ms until the next due task or -1, skipped 0|1, base epoch, verdicts, epochs or 0, claimed, stands by 0|1, handed}
--   verdicts: one character a settle, completions first: A accepted, R already (repeated), F fenced, G gone
--   claimed: id, record, id, record …; token of claim k is (base + k):nonce, or epochs[k]:nonce. Not joined to one string, which
--     Lua would hash byte by byte
--   handed: token, id, record … of what was handed to it and it may not have heard of
-- RETURNS -1 where the queue is in another layout
-- DERIVES t:<id> h:<id> ix:f:<fingerprint> from ids in the queue's own sets, handed:<worker>: all in the slot of KEYS[1]
-- COST O(log N) a task. All reads precede the first write: an error or a moving slot leaves nothing half done.
local lane, nonce, want, lease, worker, types = 'lane:' .. ARGV[5] .. ':' .. ARGV[1], ARGV[2], ARGV[3] + 0, ARGV[4] + 0, ARGV[5], ARGV[6]
local nC, nO = ARGV[7] + 0, ARGV[8] + 0
local known, epoch, dueText, paused, concurrency, rateMax, bytesText, lastNonce =
  load_meta('epoch', 'due', 'paused', 'concurrency', 'rate_max', 'bytes', lane)
if not known then return -1 end
epoch, paused = (epoch or 0) + 0, paused == '1'
local dueBefore, bytes = (dueText or NEVER) + 0, (bytesText or 0) + 0
local due = dueBefore
local limited = concurrency or rateMax
local repeated = lastNonce == nonce

-- Strings, tables and printed numbers are what a call costs: a string is allocated, hashed byte by byte and collected. So tokens
-- come with their bars around them, as they stand in a line, and nothing is cut out or glued together that is not kept.
local total = nC + nO
local number = total + want > 8 and near_numbers() or int
local ID, TOKEN, RESULT, OTHER = 10, 10 + total, 10 + 2 * total, 10 + 2 * total + nC

-- 1. Judge the settles -----------------------------------------------------------------------------------------
local lines = total > 0 and call('HMGET', ACTIVE, unpack(ARGV, ID + 1, ID + total)) or NONE
local refused, refusals = {}, 0 -- verdicts besides `A`, by place
local items, flags, heads = {}, {}, {} -- items by id
local needHead, needHistory = {}, {}
for i = 1, total do
  local line, id, token = lines[i], ARGV[ID + i], ARGV[TOKEN + i]
  local bar = line and find(line, token, 22, true)
  if bar and not items[id] then
    items[id] = sub(line, 2, bar - 1)
    local bits = byte(line, 1) - 48
    if i > nC then
      flags[i] = bits
      needHead[#needHead + 1], needHistory[#needHistory + 1] = i, i
    elseif bits > 0 then
      if has(bits, F_UNIQUE) or has(bits, F_NEEDED) then needHead[#needHead + 1] = i end
      if has(bits, F_HISTORY) then needHistory[#needHistory + 1] = i end
    end
  else
    refusals = refusals + 1
    if bar then refused[i] = 'R' -- twice in one call
    else
      local history = call('GET', P .. 'h:' .. id)
      if history and find(history, token, 1, true) then refused[i] = 'R'
      elseif history or call('EXISTS', P .. 't:' .. id) == 1 then refused[i] = 'F'
      else refused[i] = 'G' end
    end
  end
end
local settled = total - refusals
local historyBytes = {}
for _, i in ipairs(needHead) do heads[i] = call('GETRANGE', P .. 't:' .. ARGV[ID + i], '0', HEAD_LAST) end
for _, i in ipairs(needHistory) do historyBytes[i] = call('STRLEN', P .. 'h:' .. ARGV[ID + i]) end

-- 2. Choose what to claim --------------------------------------------------------------------------------------
local running, waiting = call('ZCARD', LEASES), call('ZCARD', PENDING)
call('XLEN', EVENTS); call('LLEN', WAKE)
local reported = 0
if total > 0 then
  reported = call('HLEN', PROGRESS)
  call('ZCARD', COMPLETED)
end
if #needHead > 0 then
  call('ZCARD', FAILED); call('ZCARD', CANCELLED); call('HLEN', UNIQUE); call('HLEN', GROUPS); call('LLEN', OUTBOX)
end

local promoted, promotedFrom, promotedHeads, promotedScore = NONE, NONE, NONE, NONE
local rateUntil
if wall >= due then
  promoted, promotedFrom, promotedHeads, promotedScore = {}, {}, {}, {}
  local nextDue = NEVER
  for _, key in ipairs({ SCHEDULED, RETRYING }) do
    local found = call('ZRANGEBYSCORE', key, '-inf', wallText, 'LIMIT', '0', '100')
    for _, id in ipairs(found) do
      local record = call('GETRANGE', P .. 't:' .. id, '0', HEAD_LAST)
      promoted[#promoted + 1] = id
      if record ~= '' then promotedHeads[id], promotedScore[id] = record, tonumber(head_score(record)) end
    end
    promotedFrom[key] = found
    local first = int(#found)
    local rest = call('ZRANGE', key, first, first, 'WITHSCORES')
    if rest[2] then nextDue = min(nextDue, rest[2] + 0) end
  end
  due = nextDue
end

-- Tasks ahead of their slots wait where they are held: nobody else may lack them, and limits count what runs.
local ahead = ARGV[9] + 0
if ahead > 0 and (limited or waiting < want + 4 * ahead) then want = want - ahead end
local allow = 0
local rateStart, rateCount
if want > 0 and not paused and not repeated then
  allow = want
  if concurrency then allow = min(allow, tonumber(concurrency) - running + settled) end
  if rateMax then
    local rate = call('HMGET', KEYS[1], 'rate_per', 'rate_start', 'rate_count')
    rateStart, rateCount = tonumber(rate[2] or -NEVER), tonumber(rate[3] or 0)
    if mono >= rateStart + tonumber(rate[1]) then rateStart, rateCount = mono, 0 end
    local room = tonumber(rateMax) - rateCount
    if room <= 0 then rateUntil = rateStart + tonumber(rate[1]) - mono end
    allow = min(allow, room)
  end
end

-- What is written of the tasks that are taken, put together as each is chosen.
local take, reply, active, leases, told, expiring = {}, {}, {}, {}, {}, {}
local park, orphans = {}, {}
local taken, skipped = 0, 0
local lastItem
local inFront = false -- what is taken is the first of the pending tasks, with none between
if allow > 0 then
  -- What tasks have in common that are alike in executions at most, priority, flags and type: looked at once.
  local kindOf, startedAt = {}, fmt('%011x', wall)
  local ready = NONE
  if #promoted > 0 then
    ready = {}
    for _, id in ipairs(promoted) do
      if promotedHeads[id] then ready[#ready + 1] = { promotedScore[id], id } end
    end
    table.sort(ready, function(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end)
  end
  local records = P .. 't:'
  local until_, tail = int(mono + lease), ':' .. nonce .. '|' .. worker
  local stop = 34 -- where the type ended in the record before: mostly it does there again
  local r, from = 1, 0
  -- Tasks of other types, expired ones and ids without a record make further rounds necessary: five at most.
  for round = 1, 5 do
    local size = allow - taken
    if size <= 0 then break end
    if round > 1 then size = max(size, 50) end
    local batch = {}
    if r > #ready then
      batch = call('ZRANGE', PENDING, int(from), int(from + size - 1))
      from = from + #batch
    else
      local heap = call('ZRANGE', PENDING, int(from), int(from + size - 1), 'WITHSCORES')
      local p = 1
      while #batch < size and (r <= #ready or heap[p]) do
        if heap[p] and (r > #ready or tonumber(heap[p + 1]) <= ready[r][1]) then
          batch[#batch + 1] = heap[p]
          p = p + 2
          from = from + 1
        else
          batch[#batch + 1] = ready[r][2]
          r = r + 1
        end
      end
    end
    if #batch == 0 then break end
    local keys, found = {}, {}
    if #ready == 0 then
      for i = 1, #batch do keys[i] = records .. batch[i] end
      found = call('MGET', unpack(keys))
    else
      -- The head of a promoted task was read already, and mostly all of its record with it.
      local at = {}
      for i = 1, #batch do
        local head = promotedHeads[batch[i]]
        if head and #head < HEAD_BYTES then found[i] = head
        else keys[#keys + 1] = records .. batch[i]; at[#keys] = i end
      end
      if #keys > 0 then
        for n, record in ipairs(call('MGET', unpack(keys))) do found[at[n]] = record end
      end
    end
    for i = 1, #batch do
      local id, record = batch[i], found[i]
      if taken >= allow then break end
      if not record then
        orphans[#orphans + 1] = id
      else
        -- A cut that is known ends with the bar after its type, and has no other.
        local kind = kindOf[sub(record, 28, stop)]
        if not kind then
          stop = find(record, '|', 34, true)
          local cut = sub(record, 28, stop)
          kind = kindOf[cut]
          if not kind then
            local bits, taskType, flag = byte(cut, 6) - 48, sub(cut, 7, -2), sub(cut, 6, 6)
            local rest = sub(cut, 1, 5) .. startedAt .. taskType -- an item without its attempt
            local first = '0001' .. rest
            kind = {
              runs = find(types, ',' .. taskType .. ',', 1, true) ~= nil,
              type = taskType,
              expires = has(bits, F_EXPIRES),
              tried = has(bits, F_HISTORY), -- else this is its first attempt
              flag = flag,
              rest = rest,
              item = first,
              told = first .. ',', -- in the event
              line = flag .. first .. '|', -- an active line up to its token
            }
            kindOf[cut] = kind
          end
        end
        if kind.expires and wall > tonumber(head_field(record, 4)) then
          -- It is only not started here; the next tick fails it.
        elseif kind.runs then
          taken = taken + 1
          local text, line = kind.told, kind.line
          lastItem = kind.item
          if kind.tried then
            lastItem = fmt('%04d', tonumber(sub(record, 1, 4)) + 1) .. kind.rest
            text, line = lastItem .. ',', kind.flag .. lastItem .. '|'
          end
          local k = 2 * taken
          take[taken] = id
          reply[k - 1], reply[k] = id, record
          active[k - 1], active[k] = id, line .. number(epoch + taken) .. tail
          leases[k - 1], leases[k] = until_, id
          told[k - 1], told[k] = id, text
          if kind.expires then expiring[#expiring + 1] = id end
        else
          local served = call('HGET', SERVED, kind.type)
          if served and tonumber(served) >= mono then skipped = 1
          else park[#park + 1] = { id, record } end
        end
      end
    end
  end
  inFront = #ready == 0 and taken == from
end

local again, againEpochs = {}, {}
if repeated then
  local all = call('HGETALL', ACTIVE)
  local tail = ':' .. nonce .. '|'
  for i = 1, #all, 2 do
    local at = find(all[i + 1], tail, 22, true)
    if at then
      local record = call('GET', P .. 't:' .. all[i])
      if record then
        again[#again + 1] = all[i]
        again[#again + 1] = record
        local bar = find(all[i + 1], '|', 22, true)
        againEpochs[#againEpochs + 1] = sub(all[i + 1], bar + 1, at - 1)
      end
    end
  end
end

-- 3. Look for what was handed over ------------------------------------------------------------------------------
local place, standMs, stands, looks
local handed = {}
if ARGV[10] ~= '' then
  local ms, stood, handNonce = string.match(ARGV[10], '^(%d+)|([01])|(.+)$')
  standMs, place = tonumber(ms), worker .. '|' .. handNonce .. '|' .. ARGV[4] .. '|' .. types
  stands = call('ZSCORE', STANDBY, place)
  looks = not stands and (stood == '1' or repeated)
  if looks then
    call('LLEN', inbox_of(worker))
    handed = handed_under(handNonce)
  end
end

-- 4. Write: lib/work-writes.lua
