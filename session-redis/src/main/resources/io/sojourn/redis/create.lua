-- Creates a session: 1, 0 if the key is taken, or 2 if it is taken by just what this would have created.
-- KEYS session. ARGV offset, version, created, idle, touch, then name and value of each attribute, and at last, if
-- somebody is logged in, the user: where to look for such sessions, in 19 digits, and what the user is known by.
if redis.call('EXISTS', KEYS[1], doorOf(KEYS[1])) > 0 then
  local s = read(KEYS[1])
  if s and s.version == tonumber(ARGV[2]) and s.created == ARGV[3] and not s.door and not s.claim then
    rewrite(s)
    return 2
  end
  return 0
end
local time = now(ARGV[1])
local index = {}
local fields = {}
local user = #ARGV % 2 == 0 and ARGV[#ARGV]
for i = 6, user and #ARGV - 1 or #ARGV, 2 do
  if #fields > MOST then
    set(KEYS[1], fields)
  end
  fields[#fields + 1] = ':' .. ARGV[i]
  fields[#fields + 1] = ARGV[i + 1]
  index[#index + 1] = entry(ARGV[i]) .. ARGV[2]
end
fields[#fields + 1] = 'index'
fields[#fields + 1] = table.concat(index)
if user then
  fields[#fields + 1] = 'user'
  fields[#fields + 1] = string.sub(user, 20)
end
local s = {
  name = KEYS[1],
  version = tonumber(ARGV[2]),
  created = ARGV[3],
  accessed = time,
  idle = ARGV[4],
  touch = ARGV[5],
  key = '-',
  saves = '-',
  more = ''
}
access(s, time, time, fields, true)
if user then
  redis.call('ZADD', bucket(KEYS[1]) .. 'expiry', string.sub(user, 1, 19), 'user:' .. digest(KEYS[1]))
end
return 1
