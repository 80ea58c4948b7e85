export default {
  cacheComponents: true,
  rewrites: () => [{ source: '/data/:path*', destination: `${process.env.SITE}data/:path*` }],
};
