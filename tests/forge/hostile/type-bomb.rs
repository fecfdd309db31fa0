// Types that double with each line.
// stage: build
// code: forge.compile forge.limit.disk forge.limit.processor forge.limit.wall forge.limit.memory
trait Grow {
    const SIZE: u64;
}

impl Grow for () {
    const SIZE: u64 = 1;
}

struct Pair<A, B>(A, B);

impl<A: Grow, B: Grow> Grow for Pair<A, B>
where
    Pair<Pair<A, B>, Pair<B, A>>: Grow,
{
    const SIZE: u64 = A::SIZE + B::SIZE;
}

const LOOT: u64 = <Pair<(), ()> as Grow>::SIZE;

use wasmill_sdk::{Error, Function, Tool};

struct Hostile;

impl Tool for Hostile {
    fn describe() -> Vec<Function> {
        vec![Function::new("f", "Does nothing.", "{}", "{}")]
    }

    fn call(_: &str, _: &str) -> Result<String, Error> {
        Ok(format!("{:?}", LOOT))
    }
}

wasmill_sdk::tool!(Hostile);
