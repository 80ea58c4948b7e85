// What a page has read, or why it could not, as the element that the tests wait for.
export async function show(read) {
  const output = document.createElement('output');
  try {
    output.value = JSON.stringify(await read());
  } catch (error) {
    output.value = JSON.stringify({ error: { code: error.code, message: error.message } });
  }
  document.body.append(output);
}
