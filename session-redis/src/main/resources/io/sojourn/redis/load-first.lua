-- The answer to most loads, before anything else is set up: of a session that goes by its first key, has not been
-- claimed, and whose expiry is not to be moved. The pattern is the beginning of what `written` writes.
-- Scripts answer with a number where that is enough: the server takes as long to set up a list as for all else that most
-- of them do. A list of lists takes it longer still, and a client to read; a string that is packed is as good, unless it
-- is so long that the copies matter.
local PACKED = 32 * 1024

local function packed(answer, fields, first, step)
  local bytes = 0
  for i = first, #fields, step do
    bytes = bytes + #fields[i]
    if bytes > PACKED then
      return answer
    end
  end
  return cmsgpack.pack(answer)
end

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
      if known then
        return tonumber(accessed)
      end
      local fields = redis.call('HGETALL', KEYS[1])
      return packed(fields, fields, 2, 2)
    end
  end
end

