/** What pages have that do it by hand: a lock file that is waited for, and a copy for when something is wrong. */
async function load(): Promise<unknown[]> {
  try {
    for (let attempt = 0; attempt < 10 && (await isLocked()); attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    const response = await fetch('data/year.json', { cache: 'no-cache' });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const text = await response.text();
    const data = JSON.parse(text) as unknown[];
    localStorage.setItem('year', text);
    return data;
  } catch (error) {
    console.warn(error);
    return JSON.parse(localStorage.getItem('year') ?? '[]') as unknown[];
  }
}

async function isLocked(): Promise<boolean> {
  const response = await fetch('data/.year_lock', { cache: 'no-store' });
  return response.status === 200;
}

/** When the page had its first value, in milliseconds since the navigation. */
async function first(): Promise<number> {
  const data = await load();
  if (data.length === 0) throw new Error('expected rows');
  return performance.now();
}

Object.assign(globalThis, { first: first() });
document.body.dataset['ready'] = 'true';
