-- Every script begins with this.
--
-- The hash `session:<origin>` is a session: version, created, accessed, idle and touch always, door once
-- it was renamed, claim once it was claimed, and `:<name>` for each attribute. The sorted set
-- `index:<origin>` tells which version last wrote each attribute, or, as a negative score, removed it.
-- The string `door:<key>` leads from the key that a renamed session goes by to the hash, in the same bucket.
-- The sorted set `expiry` tells when the sessions of a bucket expire or their claims lapse.
-- All times are milliseconds. Lua's numbers hold them exactly, but print large ones as 1.7e+12.

-- How much longer than a session the server keeps its keys. Only the safety net: sessions are claimed.
local GRACE = 24 * 60 * 60 * 1000

-- Where a number stops being exact. Nothing expires later.
local FAR = 2 ^ 53

local function text(number)
  return string.format('%.0f', number)
end

local function now(offset)
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(offset)
end

-- The session in the hash of this name; nil if there is none, or only half of one.
local function read(name)
  local m = redis.call('HMGET', name, 'version', 'created', 'accessed', 'idle', 'touch', 'door', 'claim')
  local s = {
    name = name,
    version = tonumber(m[1]),
    accessed = tonumber(m[3]),
    idle = tonumber(m[4]),
    touch = tonumber(m[5]),
    door = m[6],
    claim = tonumber(m[7])
  }
  if not (s.version and tonumber(m[2]) and s.accessed and s.idle and s.touch) then
    return nil
  end
  local bucket, origin = string.match(name, '^(.-}:)session:(%x+)$')
  s.origin = origin
  s.index = bucket .. 'index:' .. origin
  s.expiry = bucket .. 'expiry'
  return s
end

-- The session that goes by a key, given the names of the key's hash and door.
local function find(name, door)
  local s = read(name)
  if s then
    -- Once renamed, its first key opens it no more.
    return not s.door and s or nil
  end
  local behind = redis.call('GET', door)
  s = behind and read(behind)
  return s and s.door == door and s or nil
end

-- When it expires; nil if never.
local function deadline(s)
  return s.idle > 0 and math.min(s.accessed + s.idle + s.touch, FAR) or nil
end

local function expired(s, time)
  local at = deadline(s)
  return at and at <= time
end

-- Whether the attributes still have their versions: not so if the server has evicted the index.
local function whole(s)
  if redis.call('EXISTS', s.index) == 1 then
    return true
  end
  for _, field in ipairs(redis.call('HKEYS', s.name)) do
    if string.sub(field, 1, 1) == ':' then
      return false
    end
  end
  return true
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
  if not at then
    redis.call('ZREM', s.expiry, s.origin)
    for _, name in ipairs(names) do
      redis.call('PERSIST', name)
    end
    return
  end
  redis.call('ZADD', s.expiry, text(at), s.origin)
  -- From now on, and not until a time: a shifted clock must not move it.
  local left = math.max(at - time, 0) + GRACE
  for _, name in ipairs(names) do
    redis.call('PEXPIRE', name, text(left))
  end
  if redis.call('PTTL', s.expiry) < left then
    redis.call('PEXPIRE', s.expiry, text(left))
  end
end

