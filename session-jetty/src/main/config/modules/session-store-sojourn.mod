[description]
Keeps HTTP sessions in a store that all servers share (Redis, MySQL, MariaDB, PostgreSQL),
so that any server can answer any request.
It is session cache and session store in one.

[tags]
session

[provides]
session-store
session-cache

[depends]
sessions

[lib]
lib/sojourn/*.jar

[xml]
etc/sessions/sojourn/session-store.xml

[ini-template]
## Where the sessions are kept, such as redis://10.0.0.5:6379 or
## jdbc:mysql://sessions.example/app with the database's driver in lib/sojourn.
## memory: is for one server and for trying it out. Without it the server does not start.
#jetty.session.sojourn.store=redis://127.0.0.1:6379

## As whom to log in there. Without them the environment variables
## SOJOURN_USERNAME and SOJOURN_PASSWORD say so, if they are set.
#jetty.session.sojourn.username=
#jetty.session.sojourn.password=

## Further settings of the store: name=value; name=value
#jetty.session.sojourn.storeOptions=

## Whose sessions these are, in front of each context's path: servers with the
## same name share them. By default a context's first virtual host, if it has one.
#jetty.session.sojourn.application=

## Classes that may be in a session beside the JDK's values and those in WEB-INF/classes.
#jetty.session.sojourn.allowedClasses=

## What encodes attributes: kryo or java.
#jetty.session.sojourn.codec=kryo

## Encrypts attributes: id:key id:key. Without it the environment variable
## SOJOURN_ENCRYPTION_KEYS says so, if it is set.
#jetty.session.sojourn.encryptionKeys=
#jetty.session.sojourn.encryption=required

## When the store is asked whether a session has changed: strict, causal or tracked (docs/freshness.md).
#jetty.session.sojourn.freshness=strict
#jetty.session.sojourn.maxStaleness=5

## serialize has requests of one session run one after the other on all servers, all or those whose
## path within the context this regular expression matches; who waits longer is answered 503.
#jetty.session.sojourn.concurrency=parallel
#jetty.session.sojourn.serializePaths=/cart/.*
#jetty.session.sojourn.serializeTimeout=10

## serve-local has this server go on with the sessions that it has a copy of while the store cannot be
## asked; what is changed in them is lost if the server dies before the store is back.
#jetty.session.sojourn.onStoreFailure=unavailable

## For how many seconds a new session lives until its client comes back with it.
#jetty.session.sojourn.newSessionTimeout=60

#jetty.session.sojourn.touchInterval=60
#jetty.session.sojourn.dirtyCheck=read
#jetty.session.sojourn.onDecodeFailure=fail
#jetty.session.sojourn.nearCacheSize=10000
#jetty.session.sojourn.nearCacheBytes=67108864
#jetty.session.sojourn.compression=none
#jetty.session.sojourn.maxEncodedBytes=67108864
#jetty.session.sojourn.maxDepth=200
#jetty.session.sojourn.maxObjects=1000000

## Jetty's own settings. When a session that nobody uses leaves this server's memory: -1 when there
## is no room, 0 when its last request is over, or the seconds after which it does.
#jetty.session.evictionPolicy=-1

## Stores a new session as soon as it begins.
#jetty.session.saveOnCreate=false

## Jetty's name for touchInterval.
#jetty.session.savePeriod.seconds=60
