// One feed with its publisher, its faults and its clocks; one device with its tabs and visits; and every view of it. Whatever happens, in
// whatever order: nothing is fresh that the last manifest does not name, views that look at the same agree, and what was handed out
// together can be had together again.
//
// LASTGOOD_TEST_SEED repeats a run, LASTGOOD_TEST_RUNS makes more of them.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { sha256 } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';
import { settled } from './support/settled.mjs';
import { device, served, taker } from './support/world.mjs';

const { open } = await import(entry);
const NAMES = ['a', 'b'];
const STEPS = 14;
const RUNS = Number(process.env.LASTGOOD_TEST_RUNS ?? 12);
const SEED = Number(process.env.LASTGOOD_TEST_SEED ?? 1);

beforeEach(device);

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The server: what it has published, and what is wrong with it. */
class World {
  generation = 1;
  /** By generation, what each dataset was. */
  history = new Map();
  fault = 'none';
  damaged = new Set();
  current = { a: '"a1"', b: '"b1"' };
  /** What the manifest that is served names, if one is. */
  named = this.current;

  static async start() {
    const world = new World();
    world.server = await served(world.current);
    world.history.set(1, world.current);
    return world;
  }

  publish(random) {
    this.generation += 1;
    const before = this.current;
    const changed = (name) => (random() < 0.3 ? before[name] : `"${name}${this.generation}"`);
    this.current = { a: changed('a'), b: changed('b') };
    this.history.set(this.generation, this.current);
    this.damaged.clear();
    this.serve();
  }

  damage(name) {
    this.damaged.add(name);
    this.serve();
  }

  serve() {
    const { server } = this;
    server.files.delete('.lock');
    this.named = ['away', 'failing'].includes(this.fault) ? {} : this.current;
    server.publish(this.current, { generation: this.generation });
    for (const name of this.damaged) {
      server.files.set(`${name}.json`, '"damaged"');
      server.files.set(`objects/${sha256(this.current[name])}.json`, '"damaged"');
    }
    if (this.fault === 'locked') server.lock(NAMES);
    if (this.fault === 'away') for (const path of ['manifest.json', '.lock', ...server.files.keys()]) {
      server.files.set(path, (request) => request.socket.destroy());
    }
    if (this.fault === 'failing') server.files.set('manifest.json', (_, response) => response.writeHead(503).end());
    if (this.fault === 'older' && this.history.has(this.generation - 1)) {
      this.named = this.history.get(this.generation - 1);
      server.publish(this.named, { generation: this.generation - 1 });
    }
  }
}

/** A tab: its watches, and what they were told last. */
class Tab {
  views = [];

  static async open(world) {
    const tab = new Tab();
    tab.feed = await open(world.server.url, { wasm, minIntervalMs: 1, intervalMs: 3_600_000, shareTabs: false });
    for (const what of ['a', NAMES, NAMES]) {
      const view = { what, ...taker() };
      view.stop = tab.feed.watch(what, view.tell, { onError: view.fail });
      tab.views.push(view);
    }
    return tab;
  }

  close() {
    this.feed.close();
  }
}

const readingsOf = (value) => (typeof value.dataset === 'string' ? [value] : Object.values(value));

/** What is true of anything that is handed out. */
function check(world, value, said) {
  const readings = readingsOf(value);
  const generations = [...world.history].filter(([, values]) => readings.every(({ dataset, data }) => values[dataset] === JSON.stringify(data)));
  assert.ok(generations.length > 0, `${said}: never published together`);
  for (const reading of readings) {
    assert.equal(reading.fresh, reading.reason === null, said);
    if (!reading.fresh) continue;
    assert.equal(JSON.stringify(reading.data), world.named[reading.dataset], `${said}: fresh, and not named`);
  }
}

const ACTIONS = {
  publish: (world, random) => world.publish(random),
  damage: (world, random) => world.damage(NAMES[Math.floor(random() * 2)]),
  fault: (world, random) => {
    world.fault = ['none', 'away', 'failing', 'locked', 'older'][Math.floor(random() * 5)];
    world.serve();
  },
  heal: (world) => {
    world.fault = 'none';
    world.damaged.clear();
    world.serve();
  },
};

async function run(seed) {
  const random = chance(seed);
  const world = await World.start();
  const tabs = [await Tab.open(world)];
  const log = [];
  /** What was handed out together last, by the device: of this generation or a later one, it can be had again. */
  let whole = null;
  const noted = (value) => {
    const readings = readingsOf(value);
    if (readings.length === NAMES.length && readings.every(({ fresh }) => fresh)) whole = readings[0].generation;
  };
  try {
    await settled();
    for (let step = 0; step < STEPS; step += 1) {
      const names = Object.keys(ACTIONS);
      const action = names[Math.floor(random() * names.length)];
      ACTIONS[action](world, random);
      log.push(`${action} (${world.fault}, ${[...world.damaged]})`);
      const turn = random();
      if (turn < 0.15 && tabs.length < 3) {
        tabs.push(await Tab.open(world));
        log.push('another tab');
      } else if (turn < 0.3) {
        // A later visit.
        await settled();
        for (const tab of tabs.splice(0)) tab.close();
        tabs.push(await Tab.open(world));
        log.push('a later visit');
      }
      const tab = tabs[Math.floor(random() * tabs.length)];
      const look = ['read', 'snapshot', 'refresh', 'within'][Math.floor(random() * 4)];
      log.push(look);
      const said = `seed ${seed}: ${log.join(', ')}`;
      let result = null;
      try {
        if (look === 'read') result = await tab.feed.read('a');
        if (look === 'snapshot') result = await tab.feed.snapshot(NAMES);
        if (look === 'within') result = await tab.feed.snapshot(NAMES, { within: 1 });
        if (look === 'refresh') await tab.feed.refresh();
      } catch (error) {
        assert.ok(error.code, `${said}: ${error.stack}`);
        assert.ok(whole === null || look === 'read', `${said}: ${error.code}, what was handed out together is lost`);
      }
      // At this very moment: what a look has found out, all views of the tab know.
      if (result && look !== 'within') for (const view of tab.views) {
        const last = view.told.at(-1);
        if (last) check(world, last, `${said}, at once, a watch of ${view.what}`);
      }
      if (result) {
        check(world, result, said);
        noted(result);
      }
      await settled();
      const told = tab.views.map((view) => view.told.at(-1)).filter((value) => value !== undefined);
      for (const value of told) {
        check(world, value, `${said}, a watch`);
        noted(value);
      }
      // Two watches of the same say the same; a watch of one of them does, where it shows the same value.
      const [single, ...pairs] = tab.views.map((view) => view.told.at(-1));
      const shown = (reading) => reading && [reading.data, reading.fresh, reading.reason];
      if (pairs[0] && pairs[1]) for (const name of NAMES) assert.deepEqual(shown(pairs[0][name]), shown(pairs[1][name]), said);
      if (single && pairs[0] && single.data === pairs[0].a.data) assert.deepEqual(shown(single), shown(pairs[0].a), said);
      if (whole !== null) assert.ok(pairs[0], `${said}: a watch shows nothing`);
      const held = tab.feed.held(NAMES);
      if (held) check(world, held, `${said}, held`);
    }
    // A last visit, of a server that is not there.
    await settled();
    for (const tab of tabs.splice(0)) tab.close();
    world.fault = 'away';
    world.serve();
    if (whole !== null) {
      const said = `seed ${seed}: ${log.join(', ')}, a last visit`;
      const last = await Tab.open(world);
      tabs.push(last);
      const value = await last.feed.snapshot(NAMES);
      check(world, value, said);
      const at = [...world.history].filter(([, values]) => NAMES.every((name) => values[name] === JSON.stringify(value[name].data)));
      assert.ok(at.some(([generation]) => generation >= whole), `${said}: older than generation ${whole}`);
    }
  } finally {
    for (const tab of tabs) tab.close();
    world.server.stop();
  }
}

test('nothing is fresh that the last manifest does not name, and nothing that was handed out whole is lost', async (t) => {
  for (let seed = SEED; seed < SEED + RUNS; seed += 1) {
    device();
    await t.test(`seed ${seed}`, () => run(seed));
  }
});
