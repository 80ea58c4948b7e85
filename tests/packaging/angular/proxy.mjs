export default { '/data': { target: process.env.SITE } };
