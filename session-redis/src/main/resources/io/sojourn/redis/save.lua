-- Applies a delta: {the version after it}, or {0} if there is no such session.
-- KEYS session, index, expiry. ARGV offset, how long idle, how many versions removals are marked for,
-- new idle and touch or '', then the changes: set name value | replace name value version | remove name.
local time = now(ARGV[1])
local s = read(KEYS[1])
if not s or s.claim or not whole(s) then
  return { 0 }
end
local touch = #ARGV == 5 and ARGV[4] == ''
local accessed = math.max(s.accessed, time - tonumber(ARGV[2]))
if touch and accessed == s.accessed then
  return { s.version }
end

s.accessed = accessed
redis.call('HSET', s.name, 'accessed', text(accessed))
if not touch then
  s.version = s.version + 1
  redis.call('HSET', s.name, 'version', text(s.version))
  if ARGV[4] ~= '' then
    s.idle = tonumber(ARGV[4])
    s.touch = tonumber(ARGV[5])
    redis.call('HSET', s.name, 'idle', ARGV[4], 'touch', ARGV[5])
  end
end

local function write(name, value)
  redis.call('HSET', s.name, ':' .. name, value)
  redis.call('ZADD', s.index, text(s.version), name)
end

local i = 6
while i <= #ARGV do
  local change, name = ARGV[i], ARGV[i + 1]
  if change == 'set' then
    write(name, ARGV[i + 2])
    i = i + 3
  elseif change == 'replace' then
    if tonumber(redis.call('ZSCORE', s.index, name)) == tonumber(ARGV[i + 3]) then
      write(name, ARGV[i + 2])
    end
    i = i + 4
  else
    if redis.call('HDEL', s.name, ':' .. name) == 1 then
      redis.call('ZADD', s.index, text(-s.version), name)
    end
    i = i + 2
  end
end
local oldest = s.version - tonumber(ARGV[3])
if not touch and oldest > 0 then
  redis.call('ZREMRANGEBYSCORE', s.index, text(-oldest), '(0')
end
keep(s, time, deadline(s))
return { s.version }
