-- Creates a session: 1, 0 if the key is taken, or 2 if it is taken by just what this would have created.
-- KEYS session. ARGV offset, version, created, idle, touch, then name and value of each attribute.
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
for i = 6, #ARGV, 2 do
  if #fields > MOST then
    set(KEYS[1], fields)
  end
  fields[#fields + 1] = ':' .. ARGV[i]
  fields[#fields + 1] = ARGV[i + 1]
  index[#index + 1] = entry(ARGV[i]) .. ARGV[2]
end
fields[#fields + 1] = 'index'
fields[#fields + 1] = table.concat(index)
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
return 1
