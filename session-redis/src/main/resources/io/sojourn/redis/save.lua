-- Applies a delta: the version after it, 0 if there is no such session, or -1 if its lease is not this holder's.
-- KEYS session. ARGV offset, how long idle, new idle and touch or '', the node and what it knows this save by, the holder
-- of a lease or '', then, if somebody has logged in or out, user and the user as `create.lua` has it or '', then the
-- changes: set name value | replace name value version | remove name.
-- What moves the expiry, as few saves do, ends in `save-moved.lua`, behind what all scripts have.

-- How many nodes' last saves are known.
local NODES = 8
-- More versions than are made while a caller waits to ask again.
local DIGITS = 3

local m = redis.call('HMGET', KEYS[1], 'session', 'index')
local number, created, before, tail, idle, ends, saves, more
if m[1] and m[2] then
  -- What `written` writes of a session that has not been claimed.
  number, created, before, tail, idle, ends, saves, more =
    string.match(m[1], '^(%d+)( %S+ )(-?%d+)( (-?%d+) %-?%d+ (%S+) %- %S+ )(%S+)(.*)$')
end
if not number then
  return 0
end
if ARGV[7] ~= '' and string.match(redis.call('HGET', KEYS[1], 'lease') or '', '^%S*') ~= ARGV[7] then
  return -1
end
local version = tonumber(number)
local clock = redis.call('TIME')
local time = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local accessed = time - ARGV[2]
local timeout = ARGV[3] ~= ''
local fields = {}

if #ARGV > 7 or timeout then
  -- A caller that had no answer asks again, and somebody else may have saved meanwhile. A node saves a session once at
  -- a time, so its last save is enough, with the last digits of the version that it made.
  local save = ARGV[5] .. ARGV[6]
  local _, done = string.find(saves, save, 1, true)
  if done then
    -- A caller who waits for replicas waits for what was done before.
    redis.call('HSET', KEYS[1], 'session', m[1])
    return version - (version - tonumber(string.sub(saves, done + 1, done + DIGITS))) % 10 ^ DIGITS
  end

  version = version + 1
  number = string.format('%.0f', version)
  local others = saves == '-' and '' or saves
  local mine = string.find(others, ARGV[5], 1, true)
  local each = #save + DIGITS
  if mine then
    others = string.sub(others, 1, mine - 1) .. string.sub(others, mine + each)
  end
  saves = string.sub(save .. string.format('%03d', version % 10 ^ DIGITS) .. others, 1, NODES * each)
  local index = m[2]
  local newest = {}
  local marked = false
  local i = 8
  if ARGV[8] == 'user' then
    local member = 'user:' .. string.sub(KEYS[1], -64)
    local queue = string.sub(KEYS[1], 1, -73) .. 'expiry'
    if ARGV[9] == '' then
      redis.call('HDEL', KEYS[1], 'user')
      redis.call('ZREM', queue, member)
    else
      fields[#fields + 1] = 'user'
      fields[#fields + 1] = string.sub(ARGV[9], 20)
      redis.call('ZADD', queue, string.sub(ARGV[9], 1, 19), member)
    end
    i = 10
  end
  while i <= #ARGV do
    local change, name = ARGV[i], ARGV[i + 1]
    local key = entry(name)
    local from, to = string.find(index, key, 1, true)
    local writer = from and string.match(index, '^-?%d+', to + 1)
    local latest
    if change == 'remove' then
      if redis.call('HDEL', KEYS[1], ':' .. name) == 1 then
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
    if latest then
      newest[#newest + 1] = latest
      if from then
        index = string.sub(index, 1, from - 1) .. string.sub(index, to + #writer + 1)
      end
    end
  end
  local oldest = version - MARKED
  if marked and oldest > 0 then
    index = string.gsub(index, '\255[^\254]*\254%-(%d+)', function(removed)
      return tonumber(removed) <= oldest and '' or nil
    end)
  end
  fields[#fields + 1] = 'index'
  fields[#fields + 1] = table.concat(newest) .. index
elseif accessed <= tonumber(before) then
  return version
end

if not timeout and (ends == '-' and tonumber(idle) <= 0 or ends ~= '-' and accessed + idle <= tonumber(ends)) then
  fields[#fields + 1] = 'session'
  fields[#fields + 1] = number
    .. created
    .. string.format('%.0f', math.max(accessed, tonumber(before)))
    .. tail
    .. saves
    .. more
  redis.call('HSET', KEYS[1], unpack(fields))
  return version
end
