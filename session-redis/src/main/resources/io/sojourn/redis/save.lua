-- Applies a delta: the version after it, 0 if there is no such session, or -1 if its lease is not this holder's.
-- KEYS session. ARGV offset, how long idle, new idle and touch or '', the node and what it knows this save by, the holder
-- of a lease or '', then, if somebody has logged in or out, user and the user as `create.lua` has it or '', then the
-- changes: set name value | replace name value version | remove name.
-- What moves the expiry, as few saves do, ends in `save-moved.lua`, behind what all scripts have.

-- How many nodes' last saves are known.
local NODES = 8
-- More versions than are made while a caller waits to ask again.
local DIGITS = 3
-- With more arguments than this the index is taken apart once for all changes, and not searched for each.
local MANY = 300

local call, find, match, sub = redis.call, string.find, string.match, string.sub

local m = call('HMGET', KEYS[1], 'session', 'index')
local number, created, before, tail, idle, ends, saves, more
if m[1] and m[2] then
  -- What `written` writes of a session that has not been claimed.
  number, created, before, tail, idle, ends, saves, more =
    match(m[1], '^(%d+)( %S+ )(-?%d+)( (-?%d+) %-?%d+ (%S+) %- %S+ )(%S+)(.*)$')
end
if not number then
  return 0
end
if ARGV[7] ~= '' and match(call('HGET', KEYS[1], 'lease') or '', '^%S*') ~= ARGV[7] then
  return -1
end
local version = tonumber(number)
local clock = call('TIME')
local time = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local accessed = time - ARGV[2]
local timeout = ARGV[3] ~= ''
local count = #ARGV
-- With room for one attribute, as a table that grows costs more than all else here.
local fields = { nil, nil }
local index

if count > 7 or timeout then
  -- A caller that had no answer asks again, and somebody else may have saved meanwhile. A node saves a session once at
  -- a time, so its last save is enough, with the last digits of the version that it made.
  local node, save = ARGV[5], ARGV[6]
  local others = saves == '-' and '' or saves
  local at = find(others, node, 1, true)
  if at then
    local from = at + #node
    local digits = from + #save
    if sub(others, from, digits - 1) == save then
      -- A caller who waits for replicas waits for what was done before.
      call('HSET', KEYS[1], 'session', m[1])
      return version - (version - tonumber(sub(others, digits, digits + DIGITS - 1))) % 10 ^ DIGITS
    end
    others = sub(others, 1, at - 1) .. sub(others, digits + DIGITS)
  end

  version = version + 1
  number = string.format('%.0f', version)
  local mine = node .. save .. sub('00' .. number, -DIGITS)
  saves = sub(mine .. others, 1, NODES * #mine)
  index = m[2]
  local marked = false
  local writers, newest
  if count > MANY then
    writers = {}
    newest = {}
    for key, writer in string.gmatch(index, '(\255[^\254]*\254)(%-?%d+)') do
      writers[key] = writer
    end
  end
  local i = 8
  if ARGV[8] == 'user' then
    local member = 'user:' .. sub(KEYS[1], -64)
    local queue = sub(KEYS[1], 1, -73) .. 'expiry'
    if ARGV[9] == '' then
      call('HDEL', KEYS[1], 'user')
      call('ZREM', queue, member)
    else
      fields[#fields + 1] = 'user'
      fields[#fields + 1] = sub(ARGV[9], 20)
      call('ZADD', queue, sub(ARGV[9], 1, 19), member)
    end
    i = 10
  end
  while i <= count do
    local change, name = ARGV[i], ARGV[i + 1]
    local key = entry(name)
    local from, to, after, writer, latest
    if writers then
      writer = writers[key]
    else
      from, to = find(index, key, 1, true)
      if from then
        after = find(index, '\255', to, true) or #index + 1
        writer = sub(index, to + 1, after - 1)
      end
    end
    if change == 'remove' then
      if call('HDEL', KEYS[1], ':' .. name) == 1 then
        latest = key .. '-' .. number
        marked = true
      end
      i = i + 2
    else
      if change == 'set' or writer and tonumber(writer) == tonumber(ARGV[i + 3]) then
        if #fields > MOST then
          set(KEYS[1], fields)
        end
        fields[#fields + 1] = ':' .. name
        fields[#fields + 1] = ARGV[i + 2]
        latest = key .. number
      end
      i = i + (change == 'set' and 3 or 4)
    end
    if latest and writers then
      newest[#newest + 1] = latest
      writers[key] = nil
    elseif latest and from then
      index = latest .. sub(index, 1, from - 1) .. sub(index, after)
    elseif latest then
      index = latest .. index
    end
  end
  if writers then
    index = table.concat(newest) .. string.gsub(index, '(\255[^\254]*\254)%-?%d+', function(key)
      return not writers[key] and '' or nil
    end)
  end
  local oldest = version - MARKED
  if marked and oldest > 0 then
    index = string.gsub(index, '\255[^\254]*\254%-(%d+)', function(removed)
      return tonumber(removed) <= oldest and '' or nil
    end)
  end
elseif accessed <= tonumber(before) then
  return version
end

if not timeout and (ends == '-' and tonumber(idle) <= 0 or ends ~= '-' and accessed + idle <= tonumber(ends)) then
  local last = string.format('%.0f', math.max(accessed, tonumber(before)))
  local session = number .. created .. last .. tail .. saves .. more
  if index then
    call('HSET', KEYS[1], 'session', session, 'index', index, unpack(fields))
  else
    call('HSET', KEYS[1], 'session', session)
  end
  return version
end
if index then
  fields[#fields + 1] = 'index'
  fields[#fields + 1] = index
end
