-- Every script begins with this.
--
-- The hash `session:<origin>` is a session: version, created, accessed, idle and touch always, expiry unless it
-- never expires, door once it was renamed, claim once it was claimed, and `:<name>` for each attribute. The sorted
-- set `index:<origin>` tells which version last wrote each attribute, or, as a negative score, removed it.
-- The string `door:<key>` leads from the key that a renamed session goes by to the hash, in the same bucket.
-- The sorted set `expiry` tells when the sessions of a bucket expire or their claims lapse.
-- All times are milliseconds. Lua's numbers hold them exactly, but print large ones as 1.7e+12.
--
-- The expiry is not moved by every access: only when less than the max inactive interval would be left of it, and
-- then by a touch interval more. So a session never ends too early, nor later than its time to live after its last
-- access, and most scripts leave the sorted set and the times to live of the keys alone.

-- How much longer than a session the server keeps its keys. Only the safety net: sessions are claimed.
local GRACE = 24 * 60 * 60 * 1000

-- Where a number stops being exact. Nothing expires later.
local FAR = 2 ^ 53

-- In every index from the beginning, with the score 0. No name is written like this in UTF-8.
local INDEX = '\255'

local function text(number)
  return string.format('%.0f', number)
end

local function now(offset)
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(offset)
end

-- The session in the hash of this name; nil if there is none, or only half of one.
local function read(name, index, expiry)
  local m = redis.call('HMGET', name, 'version', 'accessed', 'idle', 'touch', 'expiry', 'door', 'claim', 'created')
  local s = {
    name = name,
    index = index,
    queue = expiry,
    version = tonumber(m[1]),
    accessed = tonumber(m[2]),
    idle = tonumber(m[3]),
    touch = tonumber(m[4]),
    expiry = tonumber(m[5]),
    door = m[6],
    claim = tonumber(m[7]),
    said = m
  }
  if not (s.version and s.accessed and s.idle and s.touch and m[8] and (s.expiry or s.idle <= 0)) then
    return nil
  end
  return s
end

-- The session that goes by a key, given the names of the key's hash, index, expiry and door.
local function find(name, index, expiry, door)
  local s = read(name, index, expiry)
  if s then
    -- Once renamed, its first key opens it no more.
    return not s.door and s or nil
  end
  local behind = redis.call('GET', door)
  s = behind and read(behind, string.sub(behind, 1, -73) .. 'index:' .. string.sub(behind, -64), expiry)
  return s and s.door == door and s or nil
end

local function expired(s, time)
  return s.expiry and s.expiry <= time
end

-- Whether each attribute has its version: not so if the server has evicted the index.
local function whole(s)
  return redis.call('ZSCORE', s.index, INDEX)
end

-- Everything about a session, for the client to read.
local function record(s)
  return {
    s.name,
    redis.call('HGETALL', s.name),
    redis.call('ZRANGEBYSCORE', s.index, 1, '+inf', 'WITHSCORES')
  }
end

-- Has the session looked at again at this time, never if nil, and its keys kept until then.
local function keep(s, time, at)
  local names = { s.name, s.index, s.door or nil }
  local origin = string.sub(s.name, -64)
  if not at then
    redis.call('ZREM', s.queue, origin)
    for _, name in ipairs(names) do
      redis.call('PERSIST', name)
    end
    return
  end
  redis.call('ZADD', s.queue, text(at), origin)
  -- From now on, and not until a time: a shifted clock must not move it.
  local left = math.max(at - time, 0) + GRACE
  for _, name in ipairs(names) do
    redis.call('PEXPIRE', name, text(left))
  end
  if redis.call('PTTL', s.queue) < left then
    redis.call('PEXPIRE', s.queue, text(left))
  end
end

-- Notes the last access: the fields to set beside those given, and the expiry if it has to be moved.
local function access(s, time, accessed, fields, timeout)
  local earliest = accessed + s.idle
  s.accessed = math.max(s.accessed, accessed)
  fields[#fields + 1] = 'accessed'
  fields[#fields + 1] = text(s.accessed)
  if s.idle <= 0 then
    if s.expiry then
      redis.call('HDEL', s.name, 'expiry')
      s.expiry = nil
    end
  elseif timeout or not s.expiry or earliest > s.expiry then
    s.expiry = math.min(s.accessed + s.idle + s.touch, FAR)
    fields[#fields + 1] = 'expiry'
    fields[#fields + 1] = text(s.expiry)
    timeout = true
  end
  redis.call('HSET', s.name, unpack(fields))
  if timeout then
    keep(s, time, s.expiry)
  end
end

