-- Every script begins with this.
--
-- The hash `session:<origin>` is a session: version, created, accessed, idle, touch and index always, expiry unless
-- it never expires, door once it was renamed, claim once it was claimed, saves once it was saved, and `:<name>` for
-- each attribute. The index tells which version last wrote each attribute, or removed it, and begins with the newest.
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

-- How many values are passed in one call. Lua's stack takes some thousands.
local MOST = 1000

local function text(number)
  return string.format('%.0f', number)
end

local function now(offset)
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(offset)
end

-- What an attribute's entry in an index begins with; the version follows, and of a removal a negative one. No name
-- contains these bytes, as UTF-8 does not.
local function entry(name)
  return '\255' .. name .. '\254'
end

-- The session in the hash of this name; nil if there is none, or only half of one.
local function read(name, expiry)
  local m = redis.call(
    'HMGET', name, 'version', 'accessed', 'idle', 'touch', 'expiry', 'door', 'claim', 'created', 'index', 'saves')
  local s = {
    name = name,
    queue = expiry,
    version = tonumber(m[1]),
    accessed = tonumber(m[2]),
    idle = tonumber(m[3]),
    touch = tonumber(m[4]),
    expiry = tonumber(m[5]),
    door = m[6],
    claim = tonumber(m[7]),
    index = m[9],
    saves = m[10] or '',
    said = m
  }
  if not (s.version and s.accessed and s.idle and s.touch and m[8] and s.index and (s.expiry or s.idle <= 0)) then
    return nil
  end
  return s
end

-- The session that goes by a key, given the names of the key's hash, expiry and door.
local function find(name, expiry, door)
  local s = read(name, expiry)
  if s then
    -- Once renamed, its first key opens it no more.
    return not s.door and s or nil
  end
  local behind = redis.call('GET', door)
  s = behind and read(behind, expiry)
  return s and s.door == door and s or nil
end

local function expired(s, time)
  return s.expiry and s.expiry <= time
end

-- Sets fields of a hash, given as field, value and so on, and forgets them.
local function set(name, fields)
  redis.call('HSET', name, unpack(fields))
  for i = #fields, 1, -1 do
    fields[i] = nil
  end
end

-- Has the session looked at again at this time, never if nil, and its keys kept until then.
local function keep(s, time, at)
  local names = { s.name, s.door or nil }
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

-- Notes the last access: sets the fields given and those that it moves, the expiry only if it has to be.
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
  set(s.name, fields)
  if timeout then
    keep(s, time, s.expiry)
  end
end

