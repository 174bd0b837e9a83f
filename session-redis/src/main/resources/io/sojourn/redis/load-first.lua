-- The answer to most loads, before anything else is set up: of a session that goes by its first key, has not been
-- claimed, and whose expiry is not to be moved. The pattern is the beginning of what `written` writes.
do
  local m = redis.call('HMGET', KEYS[1], 'session', 'index')
  local version, accessed, idle, ends
  if m[1] and m[2] then
    version, accessed, idle, ends = string.match(m[1], '^(%d+) %S+ (-?%d+) (-?%d+) %-?%d+ (%d+) %- %- ')
  end
  local known = version == ARGV[2]
  if version and (known or tonumber(ARGV[2]) < 1) then
    local time = redis.call('TIME')
    if time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1] + ARGV[3] + idle <= tonumber(ends) then
      return known and { 1, tonumber(accessed) } or { 3, KEYS[1], redis.call('HGETALL', KEYS[1]) }
    end
  end
end

