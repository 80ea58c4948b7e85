// What a page has read, or why it could not, as the element that the tests wait for.
export async function show(opening) {
  const output = document.createElement('output');
  try {
    const feed = await opening;
    output.value = JSON.stringify(await feed.read('performance'));
  } catch (error) {
    output.value = String(error);
  }
  document.body.append(output);
}
