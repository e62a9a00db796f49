//! The stack from outside: what it lets through, what it refuses, and how services reach one another through it.

#[cfg(test)]
mod edges;
#[cfg(test)]
mod forge;
#[cfg(test)]
mod hoarding;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod traces;
