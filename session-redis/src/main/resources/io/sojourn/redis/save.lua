-- Applies a delta: {the version after it}, or {0} if there is no such session.
-- KEYS session, index, expiry. ARGV offset, how long idle, how many versions removals are marked for,
-- new idle and touch or '', then the changes: set name value | replace name value version | remove name.
local time = now(ARGV[1])
local s = read(KEYS[1], KEYS[2], KEYS[3])
if not s or s.claim or not whole(s) then
  return { 0 }
end
local accessed = time - tonumber(ARGV[2])
local timeout = ARGV[4] ~= ''
if #ARGV == 5 and not timeout then
  if accessed > s.accessed then
    access(s, time, accessed, {})
  end
  return { s.version }
end

s.version = s.version + 1
local version = text(s.version)
local fields = { 'version', version }
if timeout then
  s.idle = tonumber(ARGV[4])
  s.touch = tonumber(ARGV[5])
  fields = { 'version', version, 'idle', ARGV[4], 'touch', ARGV[5] }
end
local marked = false
local i = 6
while i <= #ARGV do
  local change, name = ARGV[i], ARGV[i + 1]
  if change == 'remove' then
    if redis.call('HDEL', s.name, ':' .. name) == 1 then
      redis.call('ZADD', s.index, '-' .. version, name)
      marked = true
    end
    i = i + 2
  else
    if change == 'set' or tonumber(redis.call('ZSCORE', s.index, name)) == tonumber(ARGV[i + 3]) then
      redis.call('HSET', s.name, ':' .. name, ARGV[i + 2])
      redis.call('ZADD', s.index, version, name)
    end
    i = i + (change == 'set' and 3 or 4)
  end
end
local oldest = s.version - tonumber(ARGV[3])
if marked and oldest > 0 then
  redis.call('ZREMRANGEBYSCORE', s.index, text(-oldest), '(0')
end
access(s, time, accessed, fields, timeout)
return { s.version }
