// CommonJS loads the package with `import()`, whatever the version of Node.
export async function read(): Promise<unknown> {
  const { open } = await import('lastgood');
  const feed = await open('https://example.org/data/');
  return (await feed.read('performance')).data;
}
