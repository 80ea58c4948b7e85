export default {
  mode: 'production',
  entry: './src/main.js',
  // The script with the module in it, which is for visitors whose module does not arrive, has 277 KiB; webpack hints from 244 KiB on.
  performance: { maxAssetSize: 300_000 },
};
