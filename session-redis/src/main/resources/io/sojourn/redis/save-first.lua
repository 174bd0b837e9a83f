-- All that most saves without a change do, before anything else is set up: the last access is noted, where the expiry
-- is not to be moved by it. The pattern is the beginning of what `written` writes.
if #ARGV == 7 and ARGV[3] == '' and ARGV[7] == '' then
  local m = redis.call('HMGET', KEYS[1], 'session', 'index')
  local head, version, before, tail, idle, ends
  if m[1] and m[2] then
    head, version, before, tail, idle, ends =
      string.match(m[1], '^((%d+) %S+) (-?%d+)() (-?%d+) %-?%d+ (%d+) %- ')
  end
  if version then
    local time = redis.call('TIME')
    local accessed = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1] - ARGV[2]
    if accessed + idle <= tonumber(ends) then
      if accessed > tonumber(before) then
        redis.call(
          'HSET',
          KEYS[1],
          'session',
          string.format('%s %.0f%s', head, accessed, string.sub(m[1], tail))
        )
      end
      return tonumber(version)
    end
  end
end

