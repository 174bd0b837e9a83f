-- What all scripts have.
--
-- The hash `session:<origin>` is a session. Its field `session` holds, with spaces between: version, creation time,
-- last access, max inactive interval, touch interval, expiry, when its claim ends, the key that it was renamed to, and
-- what the last save of each node is known by; a dash stands for none. Its field `index` tells which version last
-- wrote each attribute, or removed it, and begins with the newest. `:<name>` is an attribute.
-- Its field `lease`, if requests ask for that, tells who has the session to itself, until when, who is to have it next,
-- and for how long that holds.
-- Its field `user`, if somebody is logged in, is what that user is known by.
-- The string `door:<key>` leads from the key that a renamed session goes by to the hash, in the same bucket.
-- The sorted set `expiry` tells when the sessions of a bucket expire or their claims lapse. Far behind all of these, its
-- members `user:<origin>` tell by their scores whose a session is.
-- The names of a session's keys follow from each other's; a cluster is told all of them, other servers only those that
-- a script begins with.
-- All times are milliseconds. Lua's numbers hold them exactly, but print large ones as 1.7e+12.
--
-- The expiry is not moved by every access: only when less than the max inactive interval would be left of it, and
-- then by a touch interval more. So a session never ends too early, nor later than its time to live after its last
-- access, and most scripts leave the sorted set and the times to live of the keys alone.

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

-- What the names of all keys in the bucket of this hash begin with, and the session key at the name's end.
local function bucket(name)
  return string.sub(name, 1, -73)
end

local function digest(name)
  return string.sub(name, -64)
end

-- The door of that key.
local function doorOf(name)
  return bucket(name) .. 'door:' .. digest(name)
end

-- The session in the hash of this name; nil if there is none, or only half of one.
local function read(name)
  local m = redis.call('HMGET', name, 'session', 'index')
  if not m[1] or not m[2] then
    return nil
  end
  local version, created, accessed, idle, touch, ends, claim, key, saves, more =
    string.match(m[1], '^(%d+) (%S+) (-?%d+) (-?%d+) (-?%d+) (%S+) (%S+) (%S+) (%S+)(.*)$')
  if not version then
    return nil
  end
  -- All fields at once, as a table that grows costs more than all else here.
  local s = {
    name = name,
    index = m[2],
    version = tonumber(version),
    created = created,
    accessed = tonumber(accessed),
    idle = idle,
    touch = touch,
    expiry = tonumber(ends),
    claim = tonumber(claim),
    key = key,
    saves = saves,
    more = more
  }
  if key ~= '-' then
    s.door = bucket(name) .. 'door:' .. key
  end
  return s
end

-- What `read` reads.
local function written(s)
  return string.format(
    '%.0f %s %.0f %s %s %s %s %s %s%s',
    s.version,
    s.created,
    s.accessed,
    s.idle,
    s.touch,
    s.expiry and text(s.expiry) or '-',
    s.claim and text(s.claim) or '-',
    s.key,
    s.saves,
    s.more
  )
end

-- Writes what has changed of a session itself. Where nothing has, a caller who waits for replicas waits for what was
-- done before.
local function rewrite(s)
  redis.call('HSET', s.name, 'session', written(s))
end

-- The session that goes by the key at the end of this name of a hash.
local function find(name)
  local s = read(name)
  if s then
    -- Once renamed, its first key opens it no more.
    return not s.door and s or nil
  end
  local door = doorOf(name)
  local behind = redis.call('GET', door)
  s = behind and read(behind)
  return s and s.door == door and s or nil
end

local function expired(s, time)
  return s.expiry and s.expiry <= time
end

-- Has the session looked at again at this time, never if nil, and its keys kept until then. One that never expires is
-- in the queue, too, behind all others.
local function keep(s, time, at)
  local names = { s.name, s.door }
  local queue = bucket(s.name) .. 'expiry'
  local origin = digest(s.name)
  redis.call('ZADD', queue, text(at or FAR), origin)
  -- From now on, and not until a time: a shifted clock must not move it.
  local left = math.max((at or FAR) - time, 0) + GRACE
  for _, name in ipairs(names) do
    if at then
      redis.call('PEXPIRE', name, text(left))
    else
      redis.call('PERSIST', name)
    end
  end
  if redis.call('PTTL', queue) < left then
    redis.call('PEXPIRE', queue, text(left))
  end
end

-- Notes the last access, moves the expiry if it has to be, and writes the session with the fields given.
local function access(s, time, accessed, fields, timeout)
  local idle = tonumber(s.idle)
  local earliest = accessed + idle
  s.accessed = math.max(s.accessed, accessed)
  if idle <= 0 then
    s.expiry = nil
  elseif timeout or not s.expiry or earliest > s.expiry then
    s.expiry = math.min(s.accessed + idle + s.touch, FAR)
    timeout = true
  end
  fields[#fields + 1] = 'session'
  fields[#fields + 1] = written(s)
  set(s.name, fields)
  if timeout then
    keep(s, time, s.expiry)
  end
end

-- Who has the session to itself and until when, who is next and until when; a dash stands for nobody.
local function leased(s)
  local value = redis.call('HGET', s.name, 'lease') or '- 0 - 0'
  local holder, ends, follower, turn = string.match(value, '^(%S+) (%d+) (%S+) (%d+)$')
  return holder or '-', tonumber(ends) or 0, follower or '-', tonumber(turn) or 0
end

local function lease(s, holder, ends, follower, turn)
  redis.call('HSET', s.name, 'lease', string.format('%s %.0f %s %.0f', holder, ends, follower, turn))
end

