-- Removes tasks that are not running, from everything that knows them. `remove_task` reads and notes what is to be done, and
-- `finish_removal` does it for all of a call: a key that knows several of them is told once.

-- Most heads are short, and of a record that is read its payload is read as well.
local function head_of(id)
  local head = call('GETRANGE', P .. 't:' .. id, '0', '511')
  if #head == 512 and not find(head, '\n', 34, true) then head = call('GETRANGE', P .. 't:' .. id, '0', HEAD_LAST) end
  return head
end
local function bytes_of(id) return call('STRLEN', P .. 't:' .. id) + call('STRLEN', P .. 'h:' .. id) end

-- Whether the head goes on after type, time-out and backoff. Most do not: then no other index knows the task, and no key.
local function says_more(head)
  local stop, bar = find(head, '\n', 34, true), find(head, '|', 34, true)
  for _ = 1, 2 do bar = bar and bar < stop and find(head, '|', bar + 1, true) end
  return bar and bar < stop
end

local leaving, left, unlinked, untied = {}, {}, {}, {}
local function leave(key, member)
  if not leaving[key] then
    leaving[key] = {}
    left[#left + 1] = key
    call('ZCARD', key)
  end
  leaving[key][#leaving[key] + 1] = member
end
local function unlink(key) unlinked[#unlinked + 1] = key end

-- `from` is the set it lies in.
local function remove_task(id, head, from)
  leave(from, id)
  leave(P .. 'ix:t:' .. head_type(head), id)
  if says_more(head) then
    for tag in string.gmatch(head_field(head, 7), '[^;]+') do leave(P .. 'ix:g:' .. tag, id) end
    local owner, name, key = head_field(head, 5), head_field(head, 8), head_field(head, 9)
    if owner ~= '' then leave(P .. 'ix:o:' .. owner, id) end
    if name ~= '' then leave(P .. 'ix:n', string.lower(name) .. '|' .. id) end
    if key ~= '' then
      local known = call('GET', P .. 'i:' .. key)
      if known and sub(known, 1, 26) == id then unlink(P .. 'i:' .. key) end
    end
  end
  if has(head_flags(head), F_EXPIRES) then leave(EXPIRING, id) end
  unlink(P .. 't:' .. id); unlink(P .. 'h:' .. id); unlink(P .. 'log:' .. id)
  if from == COMPLETED or from == CANCELLED then return end
  if from ~= FAILED then unlink(P .. 'waits:' .. id) end
  untied[#untied + 1] = { id, head, from }
end

local function finish_removal()
  for _, key in ipairs(left) do many('ZREM', key, leaving[key]) end
  if #unlinked > 0 then call('UNLINK', unpack(unlinked)) end
  for _, task in ipairs(untied) do
    local id, head, from = task[1], task[2], task[3]
    if from == FAILED then exhume(id, head)
    else
      free_unique(id, head)
      tell_dependants(id, head, 'X')
    end
  end
end
