-- Removes a task that is not running, from everything that knows it. `from` is the set it lies in.
-- Returns the bytes that are gone.
local function remove_task(id, head, from)
  local gone = call('STRLEN', P .. 't:' .. id) + call('STRLEN', P .. 'h:' .. id)
  call('ZREM', from, id)
  call('ZREM', P .. 'ix:t:' .. head_type(head), id)
  for tag in string.gmatch(head_field(head, 7), '[^;]+') do call('ZREM', P .. 'ix:g:' .. tag, id) end
  local owner, name, key = head_field(head, 5), head_field(head, 8), head_field(head, 9)
  if owner ~= '' then call('ZREM', P .. 'ix:o:' .. owner, id) end
  if name ~= '' then call('ZREM', P .. 'ix:n', string.lower(name) .. '|' .. id) end
  if key ~= '' then
    local known = call('GET', P .. 'i:' .. key)
    if known and sub(known, 1, 26) == id then call('DEL', P .. 'i:' .. key) end
  end
  if from == FAILED then exhume(id, head) end
  if has(head_flags(head), F_EXPIRES) then call('ZREM', EXPIRING, id) end
  if from ~= COMPLETED and from ~= FAILED and from ~= CANCELLED then
    free_unique(id, head)
    tell_dependants(id, head, 'X')
  end
  call('UNLINK', P .. 't:' .. id, P .. 'h:' .. id, P .. 'log:' .. id, P .. 'waits:' .. id)
  return gone
end
