export default {
  vite: { server: { proxy: { '/data': process.env.SITE } } },
};
