-- Tells what changed since a known version: false, nothing is there; the last access, nothing; {name, value, ...},
-- the fields of its hash, or {the hash's name, these}, where a door led to it; {version, last access, ...}, what changed.
-- A list may come packed.
-- KEYS session. ARGV offset, known version, for how long it may be used without asking again.
local time = now(ARGV[1])
local known = tonumber(ARGV[2])
local s = find(KEYS[1])
if not s or s.claim or expired(s, time) then
  return false
end

local answer
if known == s.version then
  answer = s.accessed
elseif known < 1 or known > s.version or s.version - known > MARKED then
  local fields = redis.call('HGETALL', s.name)
  answer = packed(s.door and { s.name, fields } or fields, fields, 2, 2)
else
  local set, removed = {}, {}
  local at = 1
  while true do
    local _, last, name, version = string.find(s.index, '^\255([^\254]*)\254(-?%d+)', at)
    if not last or math.abs(version) <= known then
      break
    end
    at = last + 1
    local value = tonumber(version) > 0 and redis.call('HGET', s.name, ':' .. name)
    if value then
      set[#set + 1] = value
      set[#set + 1] = name
      set[#set + 1] = version
    else
      -- Or somebody has taken the field away and left its entry.
      removed[#removed + 1] = name
      removed[#removed + 1] = string.format('-%.0f', math.abs(version))
    end
  end
  answer = packed({ s.version, s.accessed, s.idle, s.touch, set, removed }, set, 1, 3)
end

local last = time + tonumber(ARGV[3])
if s.expiry and last + s.idle > s.expiry or not s.expiry and last - s.accessed > tonumber(s.touch) then
  access(s, time, time, {})
end
return answer
