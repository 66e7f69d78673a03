// A game server's publisher in TypeScript: tells on JetStream that the server is up, who joins and leaves, and that it
// stops. What happens on the server comes on standard input, in the place of a game's own hooks: `join ID NAME` and
// `leave ID NAME`.

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import { connect, nkeyAuthenticator } from '@nats-io/transport-node';

const [url, seedFile, server] = process.argv.slice(2);
if (!url || !seedFile || !server) throw new Error('usage: publish URL SEED_FILE SERVER');
const seed = new TextEncoder().encode((await readFile(seedFile, 'utf8')).trim());

const nats = await connect({
  servers: url,
  name: 'game server',
  authenticator: nkeyAuthenticator(seed),
  maxReconnectAttempts: -1,
});
const stream = jetstream(nats);

// All attempts together stay within two minutes, for which a stream remembers message ids unless it was told otherwise.
const attempts = 6;
// Another one for each start: together with a count it makes the events' ids.
const run = randomUUID();
let count = 0;

/** Publishes one event and returns once it is stored. `what` is the subject behind the server's id. */
async function publish(what: string, payload: object): Promise<void> {
  const subject = `v0.rust.servers.${server}.${what}`;
  count += 1;
  // The same for each attempt, so that the stream stores the event once, however often it arrives.
  const msgID = `${run}-${count}`;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      await stream.publish(subject, JSON.stringify(payload), { msgID, timeout: 5_000 });
      return;
    } catch (error) {
      console.error(`${subject}, attempt ${attempt}: ${error}`);
    }
    if (attempt < attempts) await sleep(1_000 * 2 ** Math.min(attempt - 1, 3));
  }
  throw new Error(`${subject} was not stored`);
}

async function tell(line: string): Promise<void> {
  const [, what, id, name] = /^(join|leave) (\S+) (.+)$/.exec(line) ?? [];
  if (what === 'join') await publish(`players.${id}.events.connected`, { player: { name } });
  else if (what === 'leave') await publish(`players.${id}.events.disconnected`, { player_name: name });
  else throw new Error(`${JSON.stringify(line)} is neither \`join ID NAME\` nor \`leave ID NAME\``);
}

// From now on a signal ends the reading, not the process: what has started tells that it stops.
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());
await publish('events.started', {});
const lines = createInterface({ input: process.stdin, signal: stop.signal });
for await (const line of lines) {
  // One event that can't be told is no reason to tell no more.
  await tell(line).catch((error) => console.error(String(error)));
}
await publish('events.stopping', {});
// Here the game server shuts down, which may take a while.
await publish('events.stopped', {});
await nats.drain();
