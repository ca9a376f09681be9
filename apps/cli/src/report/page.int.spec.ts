import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Moment, momentOf, Report, RunId } from '#contracts';
import { reportPage } from './page.js';

const found = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const inBrowser = found === undefined ? describe.skip : describe;
if (found === undefined)
  process.stderr.write('The tests of the report in a browser are skipped: there is no chromium on this machine.\n');

const HOSTILE = `"><script>document.title='owned'</script><img src=x onerror="document.title='owned'">`;
const run = RunId.parse('0198a6a2-0000-7000-8000-000000000001');
const BEGIN = Date.parse('2026-11-20T18:00:00.000Z');
const at = (minutes: number): Moment => momentOf(BEGIN + minutes * 60_000);

const report = (since: Moment = at(0)): Report =>
  Report.parse({
    since,
    until: at(600),
    headline: {
      runs: 1,
      completed: 0,
      failed: 0,
      halted: 1,
      cancelled: 0,
      open: 0,
      itemsDone: 3,
      itemsFailed: 0,
      segments: 3,
      steps: 9,
      deaths: 1,
      deathsHealed: 1,
      longestWithoutProgress: { ms: 7_000, run },
      dollars: 1.5,
      runsWithoutPrice: 0,
      needs: 1,
    },
    needs: [{ kind: 'halted', run, since: at(500), sentence: HOSTILE, commands: [`npx baton raise ${run} steps=8`] }],
    stories: [
      {
        kind: 'death',
        from: at(100),
        to: at(130),
        runs: [run],
        runCount: 1,
        incidents: 1,
        healed: 1,
        open: 0,
        ended: 0,
        sentence: HOSTILE,
      },
    ],
    findings: [
      { at: at(5), sentence: HOSTILE, needsPerson: false },
      { at: at(6), sentence: 'A message was parked.', needsPerson: true },
    ],
    runs: [
      {
        run,
        agent: { name: 'profiler', version: 1 },
        status: 'halted',
        summary: 'Halted.',
        requestedAt: at(1),
        endedAt: at(500),
        items: { total: 5, done: 3, failed: 0 },
        segments: [
          { segment: 1, from: at(1), to: at(100), ended: 'presumed-dead' },
          { segment: 2, from: at(120), to: at(500), ended: 'finished' },
        ],
        earlierSegments: 0,
        incidents: [
          {
            kind: 'death',
            cause: 'death/r',
            outcome: 'healed',
            noticedAt: at(100),
            overAt: at(130),
            stillSince: at(90),
            withoutProgressMs: 2_400_000,
            times: 1,
            noticed: HOSTILE,
            done: 'Segment 2 was scheduled.',
          },
          {
            kind: 'halt',
            cause: 'halt/steps',
            outcome: 'ended',
            noticedAt: at(500),
            times: 1,
            noticed: 'It was halted.',
            done: '',
          },
        ],
        moreIncidents: 0,
        dollars: 1.5,
      },
    ],
    left: { runs: 0 },
  });

let browser: Browser | undefined;
let folder: string;

beforeAll(async () => {
  const args = '--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update';
  if (found !== undefined) browser = await chromium.launch({ executablePath: found, args: args.split(' ') });
  folder = await mkdtemp(join(tmpdir(), 'baton-report-'));
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Looks at the page as a file, on which nothing must go wrong and which may ask for nothing else. */
async function looking(shown: Report, look: (page: Page) => Promise<void>, options: object = {}): Promise<void> {
  const file = join(folder, 'report.html');
  await writeFile(file, reportPage(shown));
  const context = await browser?.newContext(options);
  const page = await context?.newPage();
  if (!page) throw new Error('there is no browser');
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('request', (request) => {
    const asked = request.url();
    if (asked !== pathToFileURL(file).href && !asked.startsWith('data:')) complaints.push(`asks for ${asked}`);
  });
  await page.goto(pathToFileURL(file).href);
  await look(page);
  await context?.close();
  expect(complaints).toEqual([]);
}

inBrowser('the page of the report', () => {
  it('shows what needs a person with the command, and lets no word of the log do anything but be read', async () => {
    await looking(report(), async (page) => {
      expect(await page.title()).toContain('Baton, Fri 2026-11-20');
      expect(await page.locator('.command').textContent()).toBe(`npx baton raise ${run} steps=8`);
      expect(await page.locator('.needs p').textContent()).toBe(HOSTILE);
      expect(await page.locator('script, img, iframe, [onerror]').count()).toBe(0);
    });
  });

  it('keeps the picture in sight where very much needs a person, and the rest of it a click away', async () => {
    const shown = report();
    const needs = Array.from({ length: 8 }, (_, place) =>
      shown.needs.map((need) => ({ ...need, sentence: `Need ${place}.` })),
    );
    await looking({ ...shown, needs: needs.flat() }, async (page) => {
      expect(await page.getByText('Need 4.').isVisible()).toBe(true);
      expect(await page.getByText('Need 5.').isVisible()).toBe(false);
      await page.getByText('3 more', { exact: true }).click();
      expect(await page.getByText('Need 7.').isVisible()).toBe(true);
    });
  });

  it('draws segments where they were in time, with deaths and time without progress, in words too', async () => {
    await looking(report(), async (page) => {
      const picture = page.getByRole('img');
      expect(await picture.getAttribute('aria-labelledby')).toBe('timeline-title');
      const drawn = await picture.locator('rect.bar').all();
      const bars = await Promise.all(drawn.map((bar) => bar.boundingBox()));
      const [first, second] = bars;
      const [mark, still] = await Promise.all(
        ['path.dead', 'rect.still'].map((mine) => picture.locator(mine).boundingBox()),
      );
      if (!first || !second || !mark || !still) throw new Error('something is not drawn');
      expect(first.x + first.width).toBeLessThan(second.x);
      expect(mark.x + mark.width / 2).toBeCloseTo(first.x + first.width, 0);
      expect(still.x).toBeLessThan(first.x + first.width);
      expect(still.x + still.width).toBeGreaterThan(second.x);
      expect(await picture.locator('rect.still title').textContent()).toBe('40 min without progress');
      expect(await picture.locator('rect.halt').count()).toBe(1);
      await page.getByText('The same in words', { exact: true }).click();
      expect(await page.getByRole('row').last().textContent()).toContain('halted');
    });
  });

  it('marks what else needs a person, and names the runs of a story that struck several', async () => {
    const shown = report();
    const other = RunId.parse('0298a6a2-0000-7000-8000-000000000002');
    const stories = shown.stories.map((story) => ({ ...story, runs: [run, other], runCount: 30 }));
    await looking({ ...shown, stories }, async (page) => {
      expect(await page.locator('li:has(.look)').allTextContents()).toEqual([
        expect.stringContaining('A message was parked.'),
      ]);
      expect(await page.getByText('30 runs: 0198a6a2, 0298a6a2 and 28 more').count()).toBe(1);
    });
  });

  it('is legible in light and dark, wide and narrow', async () => {
    for (const [colorScheme, width] of [
      ['light', 1_200],
      ['dark', 1_200],
      ['light', 380],
    ] as const) {
      await looking(
        report(),
        async (page) => {
          const colours = await page.evaluate<[string, string, string]>(
            '[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector(".label")).fill]',
          );
          const [text, back, label] = colours;
          expect(contrast(text, back)).toBeGreaterThan(7);
          expect(contrast(label, back)).toBeGreaterThan(7);
          expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
        },
        { colorScheme, viewport: { width, height: 800 } },
      );
    }
  });

  it('is whole without a run', async () => {
    await looking({ ...report(), runs: [], needs: [], stories: [], findings: [] }, async (page) => {
      expect(await page.getByRole('heading').allTextContents()).toEqual(['What happened']);
    });
  });
});

/** The ratio of WCAG 2 between two colours in the form `rgb(r, g, b)`. */
function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [one, other].map(luminance).toSorted((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).slice(0, 3).map((text) => {
    const part = Number(text) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
