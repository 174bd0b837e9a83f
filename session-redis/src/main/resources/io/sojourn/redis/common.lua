-- For how many versions an index tells that an attribute was removed: REMOVAL_MARK_VERSIONS of SessionStore.
local MARKED = 128

-- How many values are passed in one call. Lua's stack takes some thousands.
local MOST = 1000

-- What an attribute's entry in an index begins with; the version follows, and of a removal a negative one. No name
-- contains these bytes, as UTF-8 does not.
local function entry(name)
  return '\255' .. name .. '\254'
end

-- Sets fields of a hash, given as field, value and so on, and forgets them.
local function set(name, fields)
  redis.call('HSET', name, unpack(fields))
  for i = #fields, 1, -1 do
    fields[i] = nil
  end
end

