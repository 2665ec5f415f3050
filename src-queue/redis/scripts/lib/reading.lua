-- Reads tasks with all that the outside may see of them; shared by read.lua and page.lua. Writes nothing.
-- A key that hands have made something else must hide neither the rest of its queue nor other queues: it counts as empty.
local function ask(otherwise, ...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then return otherwise end
  return reply
end

local STATES = { { 'r', PENDING }, { 'r', PARKED }, { 's', SCHEDULED }, { 'y', RETRYING }, { 'b', BLOCKED },
  { 'l', LEASES }, { 'c', COMPLETED }, { 'x', FAILED }, { 'z', CANCELLED } }

-- States in which a task may have no history yet; its flag says so.
local MADE = { r = true, s = true, y = true, b = true, l = true }

-- Eight values a task: id, state letter or '', score, record, its length, active line, end of the history, progress.
-- `preview` cuts records and histories to so many bytes; 0 reads them whole.
local function read_tasks(ids, preview)
  local out = {}
  if #ids == 0 then return out end
  local state, score = {}, {}
  for _, known in ipairs(STATES) do
    if ask(0, 'ZCARD', known[2]) > 0 then
      local scores = call('ZMSCORE', known[2], unpack(ids))
      for i = 1, #ids do
        if scores[i] then state[i], score[i] = known[1], scores[i] end
      end
    end
  end
  local lines, progress = ask({}, 'HMGET', ACTIVE, unpack(ids)), ask({}, 'HMGET', PROGRESS, unpack(ids))
  local records, histories, get = P .. 't:', P .. 'h:', redis.pcall
  local last, tail = int(preview + HEAD_BYTES - 1), int(-preview)
  for i, id in ipairs(ids) do
    local record, history
    local length = 0
    if preview == 0 then
      record = ask('', 'GET', records .. id) or ''
      history = ask('', 'GET', histories .. id) or ''
      length = #record
    else
      record = get('GETRANGE', records .. id, '0', last)
      if type(record) ~= 'string' then record = '' end
      length = #record
      if length == preview + HEAD_BYTES then length = call('STRLEN', records .. id) end
      history = MADE[state[i]] and length > 33 and not has(head_flags(record), F_HISTORY) and '' or get('GETRANGE', histories .. id, tail, '-1')
      if type(history) ~= 'string' then history = '' end
      if #history == preview then
        -- Where the last segment is longer than the window, its first bytes say what it is, and its length follows.
        local size = tonumber(sub(history, -9, -2), 16)
        if size + 9 > preview then
          history = '+' .. call('GETRANGE', histories .. id, -(size + 9), -(size + 9) + 511)
        end
      end
    end
    local n = #out
    out[n + 1], out[n + 2], out[n + 3], out[n + 4] = id, state[i] or '', score[i] or '', record
    out[n + 5], out[n + 6], out[n + 7], out[n + 8] = length, lines[i] or '', history, progress[i] or ''
  end
  return out
end
