//! Futures that run on the page's one thread, and can be ended: whatever they have under way ends with them.

#![allow(unreachable_pub, reason = "JavaScript is the only caller of what is exported")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use js_sys::futures::JsFuture;
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

/// A future of whatever kind; in a box, because each kind that is part of another is a copy of its code.
pub(crate) type Boxed<T> = BoxedIn<'static, T>;
/// The same of something that is borrowed.
pub(crate) type BoxedIn<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

#[derive(Default)]
struct Tasks {
    last: Cell<u32>,
    /// Without its future while that is being polled.
    running: RefCell<Vec<(u32, Option<Boxed<()>>)>>,
    ready: RefCell<VecDeque<u32>>,
    /// Has [`run`] called in a microtask.
    schedule: RefCell<Option<Function>>,
}

thread_local! {
    static TASKS: Tasks = Tasks::default();
}

/// Tells how to have [`run`] called soon. On the other side, so that a trap in it does not go unnoticed.
#[wasm_bindgen]
pub fn start(schedule: Function) {
    TASKS.with(|tasks| tasks.schedule.replace(Some(schedule)));
}

/// Goes on with all that can go on.
#[wasm_bindgen]
pub fn run() {
    while let Some(id) = TASKS.with(|tasks| tasks.ready.borrow_mut().pop_front()) {
        poll(id);
    }
}

/// Ends a task. What is under way for it alone ends.
#[wasm_bindgen]
pub fn cancel(id: u32) {
    // Dropped after the borrow: what ends may wake others.
    drop(TASKS.with(|tasks| {
        let mut running = tasks.running.borrow_mut();
        running.iter().position(|task| task.0 == id).map(|at| running.swap_remove(at))
    }));
}

/// Begins a task, at once.
pub(crate) fn spawn(future: Boxed<()>) -> u32 {
    let id = TASKS.with(|tasks| {
        let id = tasks.last.get().wrapping_add(1);
        tasks.last.set(id);
        tasks.running.borrow_mut().push((id, Some(future)));
        id
    });
    poll(id);
    id
}

/// Nothing is borrowed meanwhile: what is polled calls the page, which may call back.
fn poll(id: u32) {
    let take = |tasks: &Tasks| tasks.running.borrow_mut().iter_mut().find(|task| task.0 == id)?.1.take();
    let Some(mut future) = TASKS.with(take) else { return };
    let waker = Waker::from(Arc::new(Wakeup(id)));
    let pending = future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
    let ended = TASKS.with(|tasks| {
        let mut running = tasks.running.borrow_mut();
        let Some(at) = running.iter().position(|task| task.0 == id) else { return Some(future) };
        if pending {
            running[at].1 = Some(future);
            return None;
        }
        running.swap_remove(at);
        Some(future)
    });
    drop(ended);
}

struct Wakeup(u32);

impl Wake for Wakeup {
    fn wake(self: Arc<Self>) {
        TASKS.with(|tasks| {
            let mut ready = tasks.ready.borrow_mut();
            ready.push_back(self.0);
            if ready.len() > 1 {
                return;
            }
            drop(ready);
            let schedule = tasks.schedule.borrow().clone();
            if let Some(schedule) = schedule {
                // It only queues a microtask.
                let _ = schedule.call0(&JsValue::UNDEFINED);
            }
        });
    }
}

/// The results of all, which go on side by side.
pub(crate) async fn together<T>(futures: Vec<Boxed<T>>) -> Vec<T> {
    let mut all: Vec<(Boxed<T>, Option<T>)> = futures.into_iter().map(|future| (future, None)).collect();
    poll_fn(|context| {
        let mut pending = false;
        for (future, result) in &mut all {
            if result.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(ready) => *result = Some(ready),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    all.into_iter().filter_map(|(_, result)| result).collect()
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Closure<dyn FnMut()>, ms: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// Ends after a time. Leaves no timer behind.
pub(crate) struct Sleep {
    state: Rc<(Cell<bool>, RefCell<Option<Waker>>)>,
    timer: JsValue,
    _callback: Closure<dyn FnMut()>,
}

impl Sleep {
    pub(crate) fn new(ms: f64) -> Self {
        let state = Rc::new((Cell::new(false), RefCell::new(None::<Waker>)));
        let fired = Rc::clone(&state);
        let callback = Closure::new(move || {
            fired.0.set(true);
            if let Some(waker) = fired.1.take() {
                waker.wake();
            }
        });
        let timer = set_timeout(&callback, ms);
        Self { state, timer, _callback: callback }
    }

    /// What the promise ends with, unless the time is over first; what it does then is nobody's concern.
    pub(crate) async fn unless(&mut self, promise: Promise) -> Option<Result<JsValue, JsValue>> {
        let mut result = JsFuture::from(promise);
        poll_fn(|context| match Pin::new(&mut result).poll(context) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => Pin::new(&mut *self).poll(context).map(|()| None),
        })
        .await
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.state.0.get() {
            return Poll::Ready(());
        }
        self.state.1.replace(Some(context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        clear_timeout(&self.timer);
    }
}
