import { nodeResolve } from '@rollup/plugin-node-resolve';

export default {
  input: ['main.js', 'left-behind.js'],
  output: { dir: 'dist' },
  plugins: [nodeResolve()],
};
