import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binaryEvent, EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { type Browser, chromium, type Page } from 'playwright-core';
import { passwordOf, writeUsers } from '../../test/users.js';
import { type EmbeddedEventStore, startEventStore } from '../start.js';

const found = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const inBrowser = found === undefined ? describe.skip : describe;
if (found === undefined)
  process.stderr.write('The tests of the page in a browser are skipped: there is no chromium on this machine.\n');

const HOSTILE = `"><script>document.title='owned'</script><img src=x onerror="document.title='owned'">'&lt;`;
const ODD = ['päper-日本-🙂', 'a b/c?d=e&f#g%41', `turn\u202earound`, ' ', '..', 'x'.repeat(2000), HOSTILE];

let server: EmbeddedEventStore;
let browser: Browser | undefined;
let client: EventStoreDBClient;
const url = (path = '/') => `http://127.0.0.1:${server.port}${path}`;
const said = (data: object, type = 'Said') => jsonEvent({ type, data: data as Record<string, string> });

beforeAll(async () => {
  server = await startEventStore();
  client = EventStoreDBClient.connectionString(server.connectionString);
  const args = '--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update';
  if (found !== undefined) browser = await chromium.launch({ executablePath: found, args: args.split(' ') });
});
afterAll(async () => {
  await browser?.close();
  await client.dispose();
  await server.stop();
});

/** Runs with a fresh page, on which nothing must have gone wrong: no script error, no breach of the policy. */
async function looking<T>(look: (page: Page) => Promise<T>, options: object = {}): Promise<T> {
  const context = await browser?.newContext(options);
  const page = await context?.newPage();
  if (!page) throw new Error('there is no browser');
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('request', (request) => {
    const asked = request.url();
    if (!asked.startsWith(url()) && !asked.startsWith('data:')) complaints.push(`asks for ${asked}`);
  });
  const result = await look(page);
  await context?.close();
  expect(complaints).toEqual([]);
  return result;
}

inBrowser('the page', () => {
  it('lists the newest streams first, and those whose names begin as wanted', async () => {
    for (const name of ['order-1', 'order-2', 'invoice-1']) await client.appendToStream(name, said({ name }));
    await looking(async (page) => {
      await page.goto(url());
      const names = () => page.locator('tbody th').allTextContents();
      expect((await names()).slice(0, 3)).toEqual(['invoice-1', 'order-2', 'order-1']);
      await page.getByRole('searchbox').fill('order-');
      await page.getByRole('button', { name: 'Find' }).click();
      expect(await names()).toEqual(['order-1', 'order-2']);
      expect(await page.getByRole('searchbox').inputValue()).toBe('order-');
    });
  });

  it('shows the events of a stream, the newest first, a page at a time, until the first', async () => {
    const events = Array.from({ length: 60 }, (_, n) => said({ n }));
    await client.appendToStream('long-1', events);
    await looking(async (page) => {
      await page.goto(url());
      await page.getByRole('link', { name: 'long-1' }).click();
      const seen: string[] = [];
      for (;;) {
        seen.push(...(await page.locator('summary .number').allTextContents()));
        const older = page.getByRole('link', { name: 'Older' });
        if ((await older.count()) === 0) break;
        await older.click();
      }
      expect(seen).toEqual(events.map((_, n) => String(59 - n)));
      await page.getByRole('link', { name: 'Newest' }).click();
      expect(await page.locator('summary .number').first().textContent()).toBe('59');
    });
  });

  it('shows payloads as they were written: large numbers, other text, bytes, and long ones cut', async () => {
    const data = Buffer.from('{"large":9007199254740993,"list":[1,{"a":"b, {c}"}],"none":{}}');
    await client.appendToStream('payload-1', [
      { ...binaryEvent({ type: 'Exact', data }), contentType: 'application/octet-stream' },
      binaryEvent({ type: 'Raw', data: Buffer.from([0, 255, 16]) }),
      said({ text: 'y'.repeat(100_000) }, 'Long'),
      said({ 'exact json': 'a"b', list: [] as unknown as string }, 'Json'),
    ]);
    await looking(async (page) => {
      await page.goto(url('/stream?name=payload-1'));
      const open = async (type: string) => {
        const item = page.locator('li', { has: page.locator('.type', { hasText: type }) });
        await item.locator('summary').click();
        return { text: await item.locator('pre').first().textContent(), head: await item.locator('h2').textContent() };
      };
      expect((await open('Exact')).text).toBe(data.toString());
      expect((await open('Raw')).text).toBe('00 ff 10');
      expect((await open('Long')).head).toMatch(/100,011 bytes, the last 67,243 of them not shown/);
      expect((await open('Json')).text).toBe('{\n  "exact json": "a\\"b",\n  "list": []\n}');
    });
  });

  it('lets no name, type, payload or search do anything but be read', async () => {
    for (const name of ODD) {
      const hostile = jsonEvent({ type: HOSTILE, data: { html: HOSTILE }, metadata: { html: HOSTILE } });
      await client.appendToStream(name, hostile);
    }
    await looking(async (page) => {
      for (const path of ['/', `/?prefix=${encodeURIComponent(HOSTILE.slice(0, 9))}`, '/stream?name=$all']) {
        await page.goto(url(path));
        expect(await page.title()).not.toBe('owned');
        expect(await page.locator('script, img, iframe, [onerror]').count()).toBe(0);
      }
      for (const name of ODD) {
        await page.goto(url());
        await page.locator(`tbody a[href="/stream?name=${encodeURIComponent(name)}"]`).click({ timeout: 5000 });
        expect(await page.locator('summary').count()).toBe(1);
        await page.locator('summary').click();
        expect(await page.locator('pre').last().textContent()).toContain('<script>');
        expect(await page.title()).not.toBe('owned');
      }
      await page.goto(url(`/stream?name=${encodeURIComponent('turn\u202earound')}`));
      expect(await page.locator('h1').textContent()).toBe('turn\\u{202e}around');
      await page.goto(url('/stream?name=%20'));
      expect(await page.locator('h1').textContent()).toBe('\\u{20}');
    });
  });

  it('is readable in light and dark, wide and narrow, and by its landmarks', async () => {
    await client.appendToStream('look-1', [said({ hello: 'world' }), said({ 'a longer text': 'z'.repeat(300) })]);
    for (const [colorScheme, width] of [
      ['light', 1200],
      ['dark', 1200],
      ['light', 380],
    ] as const) {
      const options = { colorScheme, viewport: { width, height: 800 } };
      await looking(async (page) => {
        await page.goto(url('/stream?name=look-1'));
        await page.locator('summary').first().click();
        const [text, back] = await page.evaluate<[string, string]>(
          '[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]',
        );
        expect(contrast(text, back)).toBeGreaterThan(7);
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
        for (const role of ['main', 'search', 'navigation'] as const)
          expect(await page.getByRole(role).count()).toBe(1);
      }, options);
    }
  });

  it('shows to each user what that user may read, and nothing to others', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'event-store-page-'));
    const usersFile = join(folder, 'users');
    await writeUsers(usersFile, { admin: ['$admins'], ann: [] });
    const open = server;
    server = await startEventStore({ usersFile, usersWithoutTls: true });
    try {
      const send = { credentials: { username: 'admin', password: passwordOf('admin') } };
      expect((await fetch(url())).status).toBe(401);
      expect((await fetch(url('/stream?name=%24all'))).status).toBe(401);
      await looking(
        async (page) => {
          await page.goto(url('/?system='));
          expect(await page.getByRole('link', { name: 'All events' }).count()).toBe(0);
        },
        { httpCredentials: { username: 'ann', password: passwordOf('ann') } },
      );
      await looking(
        async (page) => {
          await page.goto(url());
          expect(await page.getByRole('link', { name: 'All events' }).count()).toBe(1);
        },
        { httpCredentials: send.credentials },
      );
      const basic = Buffer.from(`ann:${passwordOf('ann')}`).toString('base64');
      const refused = await fetch(url('/stream?name=%24all'), { headers: { authorization: `Basic ${basic}` } });
      expect(refused.status).toBe(403);
    } finally {
      await server.stop();
      server = open;
      rmSync(folder, { recursive: true });
    }
  });
});

/** The ratio of WCAG 2 between two colours in the form `rgb(r, g, b)`. */
function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [one, other].map(luminance).toSorted((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const channels = (colour.match(/\d+/g) ?? []).slice(0, 3).map((text) => {
    const part = Number(text) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const [red = 0, green = 0, blue = 0] = channels;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
